"""Every rule that trains a network, with the independent program that trains the same one.

PyTorch's own rules first; what it lacks comes from pytorch_optimizer, qhoptim and optax, under the
conventions that these share with the engine, and where no library has the form from the straight
loops of ``reference.py`` and ``todays_reference.py``, with all of a network's weights as one point.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any
from unittest import mock

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytorch_optimizer
import qhoptim.pyt
import torch

from tests.golden import reference, todays_reference
from tests.golden.todays_rules import KronOfSigns

optim = torch.optim
Weights = list[torch.Tensor]
HIDDEN = 2  # the place of the hidden matrix


@dataclass(frozen=True)
class Trained:
    """A rule with the engine's names of its settings, and who trains by it.

    make(weights) gives an optimizer of PyTorch's protocol; by_hand a loop over the path of all
    weights laid end to end, which sees every example at every step; whole says that make's does.
    layers says that it is handed matrices (out, in), as torch.nn.Linear keeps them, network by
    which of make_training's networks it goes.
    """

    slug: str
    hypers: dict[str, float]
    reference: str
    make: Callable[[Weights], Any] | None = None
    options: dict[str, str | bool] = field(default_factory=dict)
    by_hand: Callable[..., np.ndarray] | None = None
    whole: bool = False
    layers: bool = False
    network: str = "w"

    @property
    def every_example(self) -> bool:
        return self.whole or self.by_hand is not None


class Both:
    """Muon for the hidden matrix and AdamW for the rest, as PyTorch's page on Muon advises."""

    def __init__(self, weights: Weights) -> None:
        rest = [w for i, w in enumerate(weights) if i != HIDDEN]
        self.parts = (
            optim.Muon([weights[HIDDEN]], lr=0.02, weight_decay=0.1, momentum=0.95, nesterov=True),
            optim.AdamW(rest, lr=0.01, weight_decay=0.01),
        )

    def zero_grad(self) -> None:
        for part in self.parts:
            part.zero_grad()

    def step(self, closure: Any) -> None:
        closure()
        for part in self.parts:
            part.step()


def by_torch() -> Iterator[Trained]:
    """The rules that PyTorch has."""

    def rule(
        slug: str, cls: Callable[..., Any], lr: float, hypers: dict[str, float] | None = None,
        options: dict[str, str | bool] | None = None, whole: bool = False, **settings: Any,
    ) -> Trained:  # fmt: skip
        named = ", ".join(f"{name}={value}" for name, value in settings.items())
        return Trained(
            slug, {"lr": lr, **(hypers or {})}, f"torch {cls.__name__}({named})",
            lambda w: cls(w, lr=lr, **settings), options or {}, whole=whole,
        )  # fmt: skip

    yield rule("sgd", optim.SGD, 0.1)
    yield rule("momentum", optim.SGD, 0.05, {"beta": 0.9}, momentum=0.9)
    yield rule("nesterov", optim.SGD, 0.05, {"beta": 0.9}, momentum=0.9, nesterov=True)
    yield rule("asgd", optim.ASGD, 0.1, {"lambd": 0.01, "t0": 20.0}, lambd=0.01, t0=20.0)
    yield rule("adagrad", optim.Adagrad, 0.05)
    yield rule("adadelta", optim.Adadelta, 1.0)
    yield rule("rmsprop", optim.RMSprop, 0.003, {"eps": 1e-3}, alpha=0.99, eps=1e-3)
    yield rule("adam", optim.Adam, 0.01)
    yield rule("adam_l2", optim.Adam, 0.01, {"weight_decay": 0.02}, weight_decay=0.02)
    yield rule("adamw", optim.AdamW, 0.01, {"weight_decay": 0.1}, weight_decay=0.1)
    yield rule("amsgrad", optim.Adam, 0.01, amsgrad=True)
    yield rule("nadam", optim.NAdam, 0.01)
    yield rule(
        "nadamw", optim.NAdam, 0.01, {"weight_decay": 0.1}, weight_decay=0.1,
        decoupled_weight_decay=True,
    )  # fmt: skip
    yield rule("radam", optim.RAdam, 0.01)
    yield rule("adamax", optim.Adamax, 0.01)
    yield rule("adafactor", optim.Adafactor, 0.01)
    yield rule("rprop", optim.Rprop, 0.003)
    yield rule(
        "lbfgs", optim.LBFGS, 0.01, None, {"step": "fixed"}, whole=True, max_iter=1, history_size=5,
        tolerance_grad=0.0, tolerance_change=0.0,
    )  # fmt: skip
    for network in ("w", "wide"):
        yield Trained(
            "muon", {"lr": 0.02, "weight_decay": 0.1}, "torch Muon beside AdamW", Both,
            layers=True, network=network,
        )  # fmt: skip


class ByOptax:
    """A transformation of optax in the protocol of PyTorch."""

    def __init__(self, weights: Weights, transform: optax.GradientTransformation) -> None:
        self.weights = weights
        self.state = transform.init(self._arrays(weights))
        self._update = jax.jit(transform.update)

    @staticmethod
    def _arrays(tensors: Sequence[Any]) -> list[jax.Array]:
        return [jnp.asarray(t.detach().numpy()) for t in tensors]

    def step(self, closure: Any) -> None:
        closure()
        gradients = self._arrays([w.grad for w in self.weights])
        updates, self.state = self._update(gradients, self.state, self._arrays(self.weights))
        with torch.no_grad():
            for w, update in zip(self.weights, updates, strict=True):
                w += torch.tensor(np.asarray(update))


class SamFirst(pytorch_optimizer.SAM):
    """pytorch_optimizer's SAM, which is handed the first gradient, given what computes it; the
    gradient's length, for which it goes to single precision, stays in double."""

    def step(self, closure: Any) -> Any:
        closure()
        with mock.patch.object(torch.Tensor, "float", torch.Tensor.double):
            return super().step(closure)


class Mars(pytorch_optimizer.MARS):
    """pytorch_optimizer's MARS without the second ε, under the root. The first stands before the
    correction, elsewhere than in the engine, so it is next to nothing."""

    @staticmethod
    def apply_ams_bound(
        ams_bound: bool, exp_avg_sq: Any, max_exp_avg_sq: Any, eps: float,
        exp_avg_sq_eps: float = 0.0,
    ) -> Any:  # fmt: skip
        return exp_avg_sq.sqrt().add_(eps)


class OfSigns:
    """A rule that probes with the given signs of each step, laid end to end over all weights."""

    def __init__(self, weights: Weights, signs: np.ndarray) -> None:
        self.weights, self.taken = weights, 0
        self._signs = torch.tensor(signs, dtype=torch.float64)

    def signs(self) -> Iterator[torch.Tensor]:
        """Those of this step, tensor by tensor."""
        start = 0
        for w in self.weights:
            yield self._signs[self.taken, start : start + w.numel()].reshape(w.shape)
            start += w.numel()


class Kron(OfSigns):
    """pytorch_optimizer's PSGD-Kron."""

    def __init__(self, weights: Weights, signs: np.ndarray, **settings: Any) -> None:
        super().__init__(weights, signs)
        self.inner = KronOfSigns(weights, **settings)

    def step(self, closure: Any) -> None:
        given = self.signs()
        self.inner.signs = lambda t, like: next(given)
        self.inner.step(closure)
        self.taken += 1


class SophiaOfSigns(OfSigns):
    """pytorch_optimizer's SophiaH, handed γ times the probe u ⊙ Hu every so many steps."""

    def __init__(
        self, weights: Weights, signs: np.ndarray, interval: int, gamma: float, **settings: Any
    ) -> None:
        super().__init__(weights, signs)
        self.interval, self.gamma = interval, gamma
        self.inner = pytorch_optimizer.SophiaH(weights, update_period=10**9, **settings)

    def step(self, closure: Any) -> None:
        due = self.taken % self.interval == 0
        self.inner.step(closure, hessian=self.probe(closure) if due else None)
        self.taken += 1

    def probe(self, closure: Any) -> Weights:
        signs = list(self.signs())
        gradients = torch.autograd.grad(closure.loss(), self.weights, create_graph=True)
        products = torch.autograd.grad(gradients, self.weights, signs)
        return [self.gamma * u * p for u, p in zip(signs, products, strict=True)]


class CautiousAdamW:
    """PyTorch's AdamW whose step, the decay left out, goes through pytorch_optimizer's mask."""

    def __init__(self, weights: Weights, lr: float = 0.01, decay: float = 0.01) -> None:
        self.weights, self.shrink = weights, 1 - lr * decay
        self.inner = optim.AdamW(weights, lr=lr, weight_decay=0.0)

    def step(self, closure: Any) -> None:
        before = [w.detach().clone() for w in self.weights]
        self.inner.step(closure)
        with torch.no_grad():
            for w, old in zip(self.weights, before, strict=True):
                update = old - w
                pytorch_optimizer.AdaBelief.apply_cautious(update, w.grad)
                w.copy_(self.shrink * old - update)


class SoapOfBases(pytorch_optimizer.SOAP):
    """pytorch_optimizer's SOAP with the engine's choice of basis where many are as good.

    Eigenvectors are known up to their sign, and those of a matrix that the gradient does not fill
    up to any turn among them; which is taken is no part of the paper, but changes the run.
    """

    @staticmethod
    def get_orthogonal_matrix(mat: Any) -> Any:
        return [_chosen(m, torch.linalg.eigh) if len(m) else [] for m in mat]


def _chosen(matrix: torch.Tensor, eigh: Callable[..., Any]) -> torch.Tensor:
    """The eigenvectors, the largest value's first; those of no value follow from the others by
    Gram and Schmidt on the axes of which the others leave most."""
    values, vectors = (part.numpy() for part in eigh(matrix))
    seen = values > 4096 * np.finfo(float).eps * values.max()
    found = list(vectors[:, seen].T[::-1])
    while len(found) < len(matrix):
        left = 1.0 - np.sum(np.square(found), axis=0)
        axis = np.eye(len(matrix))[np.argmax(left >= (1 - 1e-6) * left.max())]
        for _ in range(2):
            axis = axis - np.array(found).T @ (np.array(found) @ axis)
        found.append(axis / np.linalg.norm(axis))
    return torch.tensor(np.array(found).T)


def optaxs_muon() -> optax.GradientTransformation:
    """Muon for the hidden kernel (in, out) and AdamW for the rest. Its momentum is corrected for
    its start, which orthogonalising undoes where no gradient is mixed in."""
    muon = optax.contrib.muon(0.02, weight_decay=0.1, nesterov=False, eps=0.0)
    of = ["muon" if i == HIDDEN else "rest" for i in range(6)]
    return optax.partition({"muon": muon, "rest": optax.adamw(0.01, weight_decay=0.01)}, of)


def by_others(signs: np.ndarray) -> Iterator[Trained]:
    """The rules that PyTorch lacks; signs (steps, weights) are for those that draw."""

    def torchlike(
        slug: str, cls: Callable[..., Any], lr: float, hypers: dict[str, float] | None = None,
        options: dict[str, str | bool] | None = None, **settings: Any,
    ) -> Trained:  # fmt: skip
        library = "qhoptim" if cls is qhoptim.pyt.QHAdam else "pytorch_optimizer"
        return Trained(
            slug, {"lr": lr, **(hypers or {})}, f"{library} {cls.__name__}",
            lambda w: cls(w, lr=lr, **settings), options or {},
        )  # fmt: skip

    def optaxs(
        slug: str, make: Callable[[float], optax.GradientTransformation], lr: float,
        hypers: dict[str, float] | None = None, options: dict[str, str | bool] | None = None,
    ) -> Trained:  # fmt: skip
        return Trained(
            slug, {"lr": lr, **(hypers or {})}, "optax", lambda w: ByOptax(w, make(lr)),
            options or {},
        )  # fmt: skip

    yield torchlike("aggmo", pytorch_optimizer.AggMo, 0.03, betas=(0.0, 0.9, 0.99))
    yield torchlike(
        "schedule_free_sgd", pytorch_optimizer.ScheduleFreeSGD, 0.1, {"beta": 0.9}, momentum=0.9
    )
    yield torchlike("qhadam", qhoptim.pyt.QHAdam, 0.01, nus=(0.7, 1.0), betas=(0.9, 0.999))
    yield torchlike("lion", pytorch_optimizer.Lion, 0.00131)
    yield torchlike("adan", pytorch_optimizer.Adan, 0.01)
    yield optaxs("schedule_free_adamw", optax.contrib.schedule_free_adamw, 0.01)
    yield optaxs("adabelief", lambda lr: optax.adabelief(lr, eps=1e-8, eps_root=1e-8), 0.01,
                 {"eps": 1e-8})  # fmt: skip
    yield optaxs("adopt", lambda lr: optax.contrib.adopt(lr, 0.9, 0.9999, 1e-6), 0.01)
    yield optaxs("ademamix", lambda lr: optax.contrib.ademamix(lr), 0.002)
    yield torchlike(
        "mars", Mars, 0.005, {"eps": 1e-30}, optimize_1d=True, weight_decay=0.0,
        betas=(0.95, 0.99), foreach=False, eps=1e-30,
    )  # fmt: skip
    yield torchlike("prodigy", pytorch_optimizer.Prodigy, 0.1, {"d0": 1e-2}, d0=1e-2, foreach=False)
    yield optaxs("signum", lambda lr: optax.signum(lr, 0.9), 0.00131)
    yield optaxs(
        "lars", lambda lr: optax.lars(lr, weight_decay=5e-4, trust_coefficient=0.001, momentum=0.9),
        10.0, None, {"norm": "together", "rate": "inside"},
    )  # fmt: skip
    for network in ("w", "wide"):
        yield Trained(
            "muon", {"lr": 0.02, "weight_decay": 0.1}, "optax contrib.muon beside adamw",
            lambda w: ByOptax(w, optaxs_muon()), {"nesterov": False}, network=network,
        )  # fmt: skip
    yield optaxs("lamb", lambda lr: optax.lamb(lr, weight_decay=0.01), 0.01)
    yield Trained(
        "lookahead", {"lr": 0.01}, "pytorch_optimizer Lookahead round torch Adam",
        lambda w: pytorch_optimizer.Lookahead(optim.Adam(w, lr=0.01), k=5, alpha=0.5),
    )  # fmt: skip
    yield torchlike(
        "sam", SamFirst, 0.05, {"beta": 0.9}, base_optimizer=optim.SGD, momentum=0.9, perturb_eps=0
    )
    yield Trained(
        "cautious", {"lr": 0.01}, "pytorch_optimizer's mask round torch AdamW", CautiousAdamW,
        {"agreement": "paper"},
    )  # fmt: skip
    yield Trained(
        "sophia", {"lr": 0.01, "gamma": 0.5, "interval": 5.0}, "pytorch_optimizer SophiaH",
        lambda w: SophiaOfSigns(w, signs, 5, 0.5, lr=0.01, betas=(0.96, 0.99), p=1.0),
        {"form": "hutchinson"},
    )  # fmt: skip
    yield torchlike("shampoo", pytorch_optimizer.Shampoo, 0.05, {"eps": 1e-2}, matrix_eps=1e-2)
    yield torchlike(
        "soap", SoapOfBases, 0.01, {"eps": 0.1, "interval": 5.0}, eps=0.1,
        precondition_frequency=5, weight_decay=0.01,
    )  # fmt: skip
    yield Trained(
        "kron", {"lr": 0.002}, "pytorch_optimizer Kron, its normals ±1",
        lambda w: Kron(w, signs, lr=0.002, momentum=0.9, learn=0.1),
    )  # fmt: skip
    eve = {"beta1": 0.9, "beta2": 0.999, "beta3": 0.9, "c": 2.0, "f_star": -0.1, "eps": 1e-8}
    search = {"shrink": 0.5, "grow": 2.0, "enough": 1e-4}
    yield Trained(
        "eve", {"lr": 0.01, **eve}, "Koushik & Hayashi 2016, algorithm 1", by_hand=reference.eve
    )
    yield Trained(
        "line_search", {"lr": 10.0, **search}, "Nocedal & Wright 2006, algorithm 3.1",
        by_hand=lambda *given, **kw: todays_reference.conjugate_gradients(
            *given, **kw, form="steepest"
        ),
    )  # fmt: skip
    yield Trained(
        "conjugate_gradient", {"lr": 1.0, **search}, "Nocedal & Wright 2006, algorithm 5.4",
        by_hand=lambda *given, **kw: todays_reference.conjugate_gradients(
            *given, **kw, form="polak_ribiere"
        ),
    )  # fmt: skip
    yield Trained(
        "lbfgs", {"lr": 0.01, "shrink": 0.5, "enough": 1e-4}, "Nocedal & Wright 2006, eq. 7.16",
        options={"step": "search"}, by_hand=todays_reference.lbfgs,
    )  # fmt: skip
