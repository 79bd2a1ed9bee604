"""A network's training as a script to run elsewhere: plain NumPy, PyTorch, JAX with optax, Keras.

The script holds the very data, draws the same first weights and the same batches, and takes the
same steps; in NumPy the gradient and the rule are written out. Where a framework has the rule the
script takes it from there. Every script leaves `losses`, the loss of each batch before its step.
"""

from __future__ import annotations

import base64
import inspect
import re
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np

from engine.emit.dialect import indent
from engine.emit.program import Key, Level, compile_program
from engine.optimizers import Optimizer
from engine.optimizers.schedules import Schedule, find_schedule
from engine.problems import counted
from engine.problems.data import Split
from engine.problems.networks import MLP
from engine.runs.descent import find_optimizer
from engine.runs.learning import MASK_STREAM, Competitor
from engine.runs.step import take_step
from engine.studies import schedule_code
from engine.studies.as_code import KERAS, OPTAX, TORCH, Spelled, written_lines
from engine.tape import Vector

Framework = Literal["NumPy", "PyTorch", "optax", "Keras"]
FRAMEWORKS: Final[tuple[Framework, ...]] = ("NumPy", "PyTorch", "optax", "Keras")
MOST_TEXT: Final = 200_000  # characters of data in a script
FEW: Final = 2000  # numbers that are written as such

_DRAWN: Final = {
    "uniform": [
        "bound = 1.0 / np.sqrt(a)",
        "W, b = rng.uniform(-bound, bound, (a, c)), rng.uniform(-bound, bound, (c,))",
    ],
    "xavier": [
        "bound = np.sqrt(6.0 / (a + c))",
        "W, b = rng.uniform(-bound, bound, (a, c)), np.zeros(c)",
    ],
    "he": ["W, b = np.sqrt(2.0 / a) * rng.standard_normal((a, c)), np.zeros(c)"],
    "zero": ["W, b = np.zeros((a, c)), np.zeros(c)"],
    "large": ["W, b = 10.0 / np.sqrt(a) * rng.standard_normal((a, c)), np.zeros(c)"],
}
# An activation and its slope, the latter of what the activation gave.
_ACTIVATIONS: Final = {
    "tanh": ("np.tanh(z)", "1 - h * h", "torch.nn.Tanh()"),
    "relu": ("np.maximum(z, 0)", "(h > 0)", "torch.nn.ReLU()"),
    "sigmoid": ("1 / (1 + np.exp(-z))", "h * (1 - h)", "torch.nn.Sigmoid()"),
    "softplus": ("np.logaddexp(0, z)", "1 - np.exp(-h)", "torch.nn.Softplus(threshold=700)"),
}
_SOFTMAX: Final = [
    "z = z - z.max(axis=1, keepdims=True)",
    "e = np.exp(z)",
    "total = e.sum(axis=1, keepdims=True)",
    "p = e / total",
]
# value and its gradient by the outputs z, for targets y, both (n, outputs).
_LOSSES: Final[Mapping[tuple[str, bool], list[str]]] = {
    ("cross_entropy", False): [
        "value = (np.logaddexp(0, z) - y * z).mean()",
        "slope = (1 / (1 + np.exp(-z)) - y) / len(z)",
    ],
    ("cross_entropy", True): [
        *_SOFTMAX,
        "value = -(y * (z - np.log(total))).sum() / len(z)",
        "slope = (p - y) / len(z)",
    ],
    ("mse", False): [
        "p = 1 / (1 + np.exp(-z))",
        "value = ((p - y) ** 2).mean()",
        "slope = 2 * (p - y) * p * (1 - p) / len(z)",
    ],
    ("mse", True): [
        *_SOFTMAX,
        "value = ((p - y) ** 2).sum() / len(z)",
        "by_p = 2 * (p - y) / len(z)",
        "slope = p * (by_p - (by_p * p).sum(axis=1, keepdims=True))",
    ],
    ("focal", False): [
        "sign = np.where(y == 1, 1.0, -1.0)",
        "log_p = -np.logaddexp(0, -sign * z)  # of the true class",
        "p = np.exp(log_p)",
        "value = -((1 - p) ** 2 * log_p).mean()",
        "slope = -sign * (1 - p) ** 2 * (1 - p - 2 * p * log_p) / len(z)",
    ],
    ("hinge", False): [
        "sign = 2 * y - 1",
        "value = np.maximum(0, 1 - sign * z).mean()",
        "slope = -sign * (sign * z < 1) / len(z)",
    ],
}  # fmt: skip
_TORCH_LOSSES: Final[Mapping[tuple[str, bool], list[str]]] = {
    ("cross_entropy", False): ["F.binary_cross_entropy_with_logits(z, y)"],
    ("cross_entropy", True): ["F.cross_entropy(z, y)"],
    ("mse", False): ["F.mse_loss(torch.sigmoid(z), y)"],
    ("mse", True): ["((torch.softmax(z, dim=1) - y) ** 2).sum() / len(z)"],
    ("focal", False): [
        "log_p = F.logsigmoid(torch.where(y == 1, z, -z))  # of the true class",
        "-((1 - log_p.exp()) ** 2 * log_p).mean()",
    ],
    ("hinge", False): ["torch.relu(1 - (2 * y - 1) * z).mean()"],
}


@dataclass(frozen=True, slots=True)
class _Task:
    network: MLP
    split: Split
    competitor: Competitor
    steps: int
    seed: int

    @property
    def rule(self) -> Optimizer:
        return find_optimizer(self.competitor.optimizer)

    @property
    def hypers(self) -> dict[str, float]:
        return dict(self.rule.hyper_values(self.competitor.hypers))

    @property
    def options(self) -> dict[str, str | bool]:
        return dict(self.rule.option_values(self.competitor.options))

    @property
    def schedule(self) -> Schedule | None:
        found = find_schedule(self.competitor.schedule)
        flat = found.slug == "constant" and not found.arguments["warmup"]
        return None if flat else found

    @property
    def examples(self) -> int:
        return len(self.split.y)

    @property
    def batch(self) -> int:
        return min(self.competitor.batch or self.examples, self.examples)

    @property
    def drawn(self) -> bool:
        """Whether the script needs the numbers that are drawn by counting."""
        mixed = self.competitor.shuffle and self.batch < self.examples
        return mixed or self.competitor.dropout > 0


def training_script(
    framework: str,
    network: MLP,
    split: Split,
    competitor: Competitor,
    *,
    steps: int,
    seed: int = 0,
) -> str:
    """The text of a script that makes the steps that `Training` makes of the same arguments, in
    double precision (Keras, whatever it is told, uses single in places).

    Raises ValueError where the rule has a form for tensors of its own or asks for more than the
    gradient where it stands, which is not written out here, where Keras lacks the rule or would
    draw masks of its own, and for data too large for a script.
    """
    competitor.check(split)
    if not isinstance(network.activation, str):
        raise ValueError("an activation without a name is not written out")
    task = _Task(network, split, competitor, steps, seed)
    if framework == "NumPy":
        return _numpy(task)
    hypers = dict(task.hypers)
    if framework == "optax" and task.schedule and "lr" in hypers:
        hypers["lr"] = Spelled(hypers["lr"], "rate")
    made = {"PyTorch": TORCH, "optax": OPTAX, "Keras": KERAS}[framework].get(task.rule.slug)
    theirs = made(hypers, task.options) if made is not None else None
    return {"PyTorch": _torch, "optax": _optax, "Keras": _keras}[framework](task, theirs)


# Pieces -------------------------------------------------------------------------------------------


def _array(name: str, values: Any) -> list[str]:
    """An array as source that reads back the same."""
    values = np.asarray(values, float)
    if values.size <= FEW:
        rows = [f"    {row!r}," for row in values.tolist()]
        text = [f"{name} = np.array([", *rows, "])"]
    else:
        packed = base64.b64encode(zlib.compress(values.tobytes(), 9)).decode()
        text = [
            f'{name} = np.frombuffer(zlib.decompress(base64.b64decode("{packed}")))',
            f"{name} = {name}.reshape{values.shape}",
        ]
    if sum(map(len, text)) > MOST_TEXT:
        raise ValueError("these data are too large to be written into a script")
    return text


def _data(task: _Task) -> list[str]:
    split, order = task.split, np.arange(task.examples)
    if not task.competitor.shuffle:
        order = np.argsort(split.y, kind="stable")
    return [
        "# What is learned: inputs (standardised), and what the outputs should say.",
        *_array("X", split.x[order]),
        *_array("Y", split.targets(split.y[order])),
    ]


def _counted(task: _Task) -> list[str]:
    """The source of the numbers drawn by counting, as the laboratory has it, without types."""
    if not task.drawn:
        return []
    text = "\n\n\n".join(
        inspect.getsource(f) for f in (counted._mixed, counted.bits, counted.order, counted.uniform)
    )
    text = re.sub(r"npt\.NDArray\[np\.\w+\]", "np.ndarray", text)
    return [
        f"_GOLDEN = {counted._GOLDEN:#x}",
        f"_MASK = {counted._MASK:#x}",
        "",
        "",
        *text.split("\n"),
        "",
        "",
    ]


def _weights(task: _Task) -> list[str]:
    return [
        f"sizes = {task.network.sizes!r}",
        f"rng = np.random.default_rng({task.seed})",
        "weights = []  # W (in, out) and b (out,) of each layer in turn",
        "for a, c in zip(sizes, sizes[1:]):",
        *indent(1, [*_DRAWN[task.competitor.scheme], "weights += [W, b]"]),
        "",
        "",
    ]


def _batches(task: _Task) -> list[str]:
    n, size = task.examples, task.batch
    if size == n:
        body = ["return np.arange(n)"]
    else:
        epoch = f"order({task.seed}, 2000 + e, n)" if task.competitor.shuffle else "np.arange(n)"
        body = [
            "first, last = k * size, (k + 1) * size",
            "epochs = range(first // n, (last - 1) // n + 1)",
            f"places = np.concatenate([{epoch} for e in epochs])",
            "return places[first - epochs[0] * n : last - epochs[0] * n]",
        ]
    text = [
        f"n, size = {n}, {size}", "", "", "def batch(k):",
        '    """The places of the examples that step k learns from."""', *indent(1, body), "", "",
    ]  # fmt: skip
    if p := task.competitor.dropout:
        layers = len(task.network.sizes) - 2
        text += [
            "def masks(k):", '    """What the hidden units are multiplied by at step k."""',
            "    found = []", "    for layer, width in enumerate(sizes[1:-1]):",
            f"        stream = {MASK_STREAM} + k * {layers} + layer",
            f"        draw = uniform({task.seed}, stream, size * width)",
            f"        found.append(((draw >= {p!r}) / {1.0 - p!r}).reshape(-1, width))",
            "    return found", "", "",
        ]  # fmt: skip
    return text


def _head(task: _Task, says: str, imports: list[str]) -> list[str]:
    packed = max(task.split.x.size, task.examples * task.split.outputs) > FEW
    sizes = "–".join(map(str, task.network.sizes))
    settings = ", ".join(f"{name} = {value!r}" for name, value in task.hypers.items())
    plan = ["import math"] if task.schedule else []
    return [
        f'"""{task.rule.name} ({settings})', f"trains a {sizes} network, batches of {task.batch}.",
        "", f'{says} Written by Descent Lab."""', "",
        *(["import base64"] if packed else []), *plan, *(["import zlib"] if packed else []),
        *([""] if packed or plan else []), *imports, "",
    ]  # fmt: skip


def _smoothed(task: _Task) -> list[str]:
    s, classes = task.competitor.smoothing, max(2, task.split.outputs)
    return [f"Y = {1.0 - s!r} * Y + {s / classes!r}  # smoothed towards even shares"] if s else []


def _text(parts: list[str]) -> str:
    return re.sub(r"\n{4,}", "\n\n\n", "\n".join(parts)).strip() + "\n"


class _Given:
    """An oracle that has the gradient and the loss of this very point, and no other."""

    lower_bound = 0.0

    def __init__(self, at: Mapping[Key, Any], w: Vector) -> None:
        self.t, self.schedule = at["t"], at["factor"]
        self._at, self._w = at, w

    def _here(self, w: Vector, name: str) -> Any:
        if w is not self._w:
            raise ValueError("this rule asks for more than the gradient where it stands")
        return self._at[name]

    def loss(self, w: Vector) -> Any:
        return self._here(w, "loss")

    def gradient(self, w: Vector) -> Vector:
        return Vector((self._here(w, "g"),))

    def __getattr__(self, name: str) -> Any:
        raise ValueError("this rule asks for more than the gradient where it stands")


def _rule(task: _Task) -> tuple[list[str], list[str]]:
    """The source of `rule(t, factor, loss, g, w, *state)` on all weights in one array, and where
    its state starts."""
    rule = task.rule
    if not rule.elementwise or rule.tensor_state is not None or rule.draws is not None:
        raise ValueError(f"{rule.name} has a form for tensors of its own, not written out here")
    slots = rule.slots(task.options)
    inputs: list[Key] = ["t", "factor", "loss", "g", "w", *(f"{s.name}_now" for s in slots)]

    def step(at: Mapping[Key, Any]) -> dict[Key, Any]:
        w = Vector((at["w"],))
        state = {
            s.name: at[f"{s.name}_now"] if s.kind == "scalar" else Vector((at[f"{s.name}_now"],))
            for s in slots
        }
        oracle: Any = _Given(at, w)
        following, after = take_step(rule, oracle, w, state, task.hypers, task.options)
        found: dict[Key, Any] = {"w": following[0]}
        for s in slots:
            value = after[s.name]
            found[s.name] = value if s.kind == "scalar" else value[0]
        return found

    program = compile_program(step, dict.fromkeys(inputs, Level.CELL))
    names = {program.inputs[key]: str(key) for key in inputs}
    statements, after = written_lines(program.lines, list(program.outputs.values()), names)
    source = [
        f"def rule({', '.join(map(str, inputs))}):",
        f'    """{rule.name}: the next weights, and what it keeps."""',
        *indent(1, [*statements, f"return {', '.join(after)}"]), "", "",
    ]  # fmt: skip
    start = [
        "0.0" if s.kind == "scalar" else "w.copy()" if s.start == "w" else "np.zeros_like(w)"
        for s in slots
    ]
    return source, start


def _steps(task: _Task, gradient: list[str], after: list[str]) -> list[str]:
    """The loop of a rule that is written out, on all weights in one array `w`."""
    _, start = _rule(task)
    factor = "factor(k)" if task.schedule else "1.0"
    c = task.competitor
    clip = [
        f"g = g * min({c.clip!r} / (np.sqrt((g * g).sum()) + 1e-6), 1.0)  # clipped"
    ] if c.clip else []  # fmt: skip
    average = [f"average = {c.average!r} * average + {1.0 - c.average!r} * w"] if c.average else []
    return [
        f"kept = [{', '.join(start)}]",
        *(["average = w.copy()"] if c.average else []),
        "losses = []",
        'with np.errstate(all="ignore"):',
        f"    for k in range({task.steps}):",
        *indent(2, [
            *gradient, *clip, "losses.append(float(value))",
            f"w, *kept = rule(float(k + 1), {factor}, value, g, w, *kept)" if start
            else f"w = rule(float(k + 1), {factor}, value, g, w)",
            *after, *average,
        ]),
        "print(losses[0], losses[-1])",
    ]  # fmt: skip


_CUT: Final = [
    "shapes = [part.shape for part in weights]",
    "places = np.cumsum([part.size for part in weights])[:-1]", "", "",
    "def cut(w):",
    '    """The weights and biases in one array as those of the layers."""',
    "    return [p.reshape(s) for p, s in zip(np.split(w, places), shapes)]", "", "",
]  # fmt: skip


def _factor(task: _Task) -> list[str]:
    return schedule_code.factor_source(task.schedule, task.steps) if task.schedule else []


def _numpy(task: _Task) -> str:
    c, many = task.competitor, task.split.outputs > 1
    source, _ = _rule(task)
    forward, slope, _ = _ACTIVATIONS[str(task.network.activation)]
    dropped = c.dropout > 0
    given = ", masks" if dropped else ""
    gradient = [
        f"def loss_and_gradient(weights, x, y{given}):",
        '    """Forwards through the layers, and backwards."""',
        "    h, kept, last = x, [], len(weights) - 2",
        "    for i in range(0, len(weights), 2):",
        "        kept.append(h)",
        "        z = h @ weights[i] + weights[i + 1]",
        "        if i < last:",
        f"            h = {forward}",
        *(
            ["            kept[-1] = kept[-1], h", "            h = h * masks[i // 2]"]
            if dropped
            else []
        ),
        *indent(1, _LOSSES[c.loss, many]),
        "    gradients = []",
        "    for i in range(last, -1, -2):",
        f"        h = {'kept[i // 2][0] if i < last else kept[-1]' if dropped else 'kept[i // 2]'}",
        "        gradients[:0] = [h.T @ slope, slope.sum(axis=0)]",
        "        if i:",
        *(
            [
                "            slope = slope @ weights[i].T * masks[i // 2 - 1]",
                "            h = kept[i // 2 - 1][1]",
            ]
            if dropped
            else ["            slope = slope @ weights[i].T"]
        ),
        f"            slope = slope * ({slope})",
        *(
            [
                f"    value += 0.5 * {c.l2!r} * sum((W * W).sum() for W in weights[::2])",
                "    for i in range(0, len(weights), 2):",
                f"        gradients[i] = gradients[i] + {c.l2!r} * weights[i]",
            ]
            if c.l2
            else []
        ),
        "    return value, gradients", "", "",
        *_CUT,
    ]  # fmt: skip
    more = ", masks(k)" if dropped else ""
    says = "Plain NumPy: the network, its gradient and the rule as printed."
    asked = [
        "chosen = batch(k)",
        f"value, g = loss_and_gradient(cut(w), X[chosen], Y[chosen]{more})",
        "g = np.concatenate([part.ravel() for part in g])",
    ]
    return _text([
        *_head(task, says, ["import numpy as np"]),
        *_data(task), *_smoothed(task), "", *_counted(task), *_weights(task), *_batches(task),
        *gradient, *_factor(task), *source,
        "w = np.concatenate([part.ravel() for part in weights])", *_steps(task, asked, []),
    ])  # fmt: skip


def _torch(task: _Task, theirs: str | None) -> str:
    c, many = task.competitor, task.split.outputs > 1
    activation = _ACTIVATIONS[str(task.network.activation)][2]
    layers = ["layers = []", "for i in range(0, len(weights), 2):",
              "    layer = torch.nn.Linear(*weights[i].shape)",
              "    layer.weight.data = torch.tensor(weights[i].T.copy())",
              "    layer.bias.data = torch.tensor(weights[i + 1])",
              "    layers.append(layer)", f"activation = {activation}",
              "parameters = [p for layer in layers for p in layer.parameters()]",
              "X, Y = torch.tensor(X), torch.tensor(Y)", "", ""]  # fmt: skip
    *lines, value = _TORCH_LOSSES[c.loss, many]
    forward = [
        "def loss(k):", "    chosen = batch(k)", "    z, y = X[chosen], Y[chosen]",
        *(["    kept = masks(k)"] if c.dropout else []),
        "    for i, layer in enumerate(layers):", "        z = layer(z)",
        "        if i + 1 < len(layers):", "            z = activation(z)",
        *(["            z = z * torch.tensor(kept[i])"] if c.dropout else []),
        *indent(1, lines), f"    value = {value}",
        *(
            [
                "    squares = sum((layer.weight**2).sum() for layer in layers)",
                f"    value = value + 0.5 * {c.l2!r} * squares",
            ]
            if c.l2
            else []
        ),
        "    return value", "", "",
    ]  # fmt: skip
    imports = [
        "import numpy as np", "import torch", "import torch.nn.functional as F", "",
        "torch.set_default_dtype(torch.float64)",
    ]  # fmt: skip
    begin = [
        *_data(task), *_smoothed(task), "", *_counted(task), *_weights(task), *_batches(task),
        *layers, *forward,
    ]  # fmt: skip
    if theirs is None:
        source, _ = _rule(task)
        says = (
            f"torch.optim has no {task.rule.name} of this convention:\nthe script carries the rule."
        )
        asked = [
            "for p in parameters:", "    p.grad = None", "value = loss(k)", "value.backward()",
            "g = torch.nn.utils.parameters_to_vector([p.grad for p in parameters]).numpy()",
            "value = value.item()",
        ]  # fmt: skip
        after = ["torch.nn.utils.vector_to_parameters(torch.tensor(w), parameters)"]
        return _text([
            *_head(task, says, imports), *begin, *_factor(task), *source,
            "w = torch.nn.utils.parameters_to_vector(parameters).detach().numpy().copy()",
            *_steps(task, asked, after),
        ])  # fmt: skip
    own = None
    if task.schedule:
        own = schedule_code.of_torch(task.schedule, task.steps, task.hypers.get("lr", 1.0))
    plan = own or "torch.optim.lr_scheduler.LambdaLR(optimizer, factor)"
    averages = [
        "for a, p in zip(average, parameters):",
        f"    a.mul_({c.average!r}).add_({1.0 - c.average!r} * p.detach())",
    ] if c.average else []  # fmt: skip
    return _text([
        *_head(task, "PyTorch's own layers, losses and rule.", imports), *begin,
        *([] if own else _factor(task)),
        f"optimizer = {theirs.replace('[w]', 'parameters')}",
        *([f"scheduler = {plan}"] if task.schedule else []),
        *(["average = [p.detach().clone() for p in parameters]"] if c.average else []),
        "losses = []",
        f"for k in range({task.steps}):",
        *indent(1, [
            "optimizer.zero_grad()", "value = loss(k)", "value.backward()",
            *([f"torch.nn.utils.clip_grad_norm_(parameters, {c.clip!r})"] if c.clip else []),
            "optimizer.step()", *(["scheduler.step()"] if task.schedule else []), *averages,
            "losses.append(value.item())",
        ]),
        "print(losses[0], losses[-1])",
    ])  # fmt: skip


_JAX_ACTIVATIONS: Final = {
    "tanh": "jnp.tanh(z)", "relu": "jax.nn.relu(z)", "sigmoid": "jax.nn.sigmoid(z)",
    "softplus": "jax.nn.softplus(z)",
}  # fmt: skip
_JAX_LOSSES: Final[Mapping[tuple[str, bool], list[str]]] = {
    ("cross_entropy", False): ["optax.sigmoid_binary_cross_entropy(z, y).mean()"],
    ("cross_entropy", True): ["optax.softmax_cross_entropy(z, y).mean()"],
    ("mse", False): ["optax.squared_error(jax.nn.sigmoid(z), y).mean()"],
    ("mse", True): ["optax.squared_error(jax.nn.softmax(z), y).sum(axis=1).mean()"],
    ("focal", False): ["optax.sigmoid_focal_loss(z, y, gamma=2.0).mean()"],
    ("hinge", False): ["optax.hinge_loss(z, 2 * y - 1).mean()"],
}


def _optax(task: _Task, theirs: str | None) -> str:
    c, many = task.competitor, task.split.outputs > 1
    dropped = ", masks" if c.dropout else ""
    loss = [
        "@jax.jit", "@jax.value_and_grad", f"def loss_and_gradient(weights, x, y{dropped}):",
        "    z = x @ weights[0] + weights[1]", "    for i in range(2, len(weights), 2):",
        f"        h = {_JAX_ACTIVATIONS[str(task.network.activation)]}",
        *(["        h = h * masks[i // 2 - 1]"] if c.dropout else []),
        "        z = h @ weights[i] + weights[i + 1]",
        f"    value = {_JAX_LOSSES[c.loss, many][0]}",
        *([f"    value = value + 0.5 * {c.l2!r} * sum((W * W).sum() for W in weights[::2])"]
          if c.l2 else []),
        "    return value", "", "",
    ]  # fmt: skip
    imports = [
        "import jax", "import jax.numpy as jnp", "import numpy as np", "import optax", "",
        'jax.config.update("jax_enable_x64", True)',
    ]  # fmt: skip
    begin = [
        *_data(task), *_smoothed(task), "", *_counted(task), *_weights(task), *_batches(task),
        *loss,
    ]  # fmt: skip
    masks = ", masks(k)" if c.dropout else ""
    if theirs is None:
        source, _ = _rule(task)
        says = f"optax has no {task.rule.name} of this convention: the script carries the rule."
        asked = [
            "chosen = batch(k)",
            f"value, g = loss_and_gradient(cut(w), X[chosen], Y[chosen]{masks})",
            "g, value = np.concatenate([np.ravel(part) for part in g]), float(value)",
        ]
        return _text([
            *_head(task, says, imports), *begin, *_CUT, *_factor(task), *source,
            "w = np.concatenate([part.ravel() for part in weights])", *_steps(task, asked, []),
        ])  # fmt: skip
    own, rate = None, task.hypers.get("lr", 1.0)
    if task.schedule:
        own = schedule_code.of_optax(task.schedule, task.steps, rate)
    plan = own or f"lambda count: {rate!r} * factor(int(count))"
    clip = [
        "norm = jnp.sqrt(sum((part**2).sum() for part in g))",
        f"short = min({c.clip!r} / (norm + 1e-6), 1.0)",
        "g = [part * short for part in g]  # clipped",
    ] if c.clip else []  # fmt: skip
    average = [
        f"average = [{c.average!r} * a + {1.0 - c.average!r} * w for a, w in zip(average, weights)]"
    ] if c.average else []  # fmt: skip
    return _text([
        *_head(task, "JAX's gradient, and optax's own rule and losses.", imports), *begin,
        *([] if own else _factor(task)),
        *([f"rate = {plan}"] if task.schedule else []),
        "weights = [jnp.array(part) for part in weights]",
        f"optimizer = {theirs}", "state = optimizer.init(weights)",
        *(["average = weights"] if c.average else []), "losses = []",
        f"for k in range({task.steps}):",
        *indent(1, [
            "chosen = batch(k)",
            f"value, g = loss_and_gradient(weights, X[chosen], Y[chosen]{masks})", *clip,
            "updates, state = optimizer.update(g, state, weights)",
            "weights = optax.apply_updates(weights, updates)", *average,
            "losses.append(float(value))",
        ]),
        "print(losses[0], losses[-1])",
    ])  # fmt: skip


_KERAS_LOSSES: Final[Mapping[tuple[str, bool], list[str]]] = {
    ("cross_entropy", False): ["ops.mean(ops.softplus(z) - y * z)"],
    ("cross_entropy", True): ["-ops.mean(ops.sum(y * ops.log_softmax(z), axis=1))"],
    ("mse", False): ["ops.mean((ops.sigmoid(z) - y) ** 2)"],
    ("mse", True): ["ops.mean(ops.sum((ops.softmax(z) - y) ** 2, axis=1))"],
    ("focal", False): [
        "log_p = ops.log_sigmoid(ops.where(ops.equal(y, 1), z, -z))  # of the true class",
        "-ops.mean((1 - ops.exp(log_p)) ** 2 * log_p)",
    ],
    ("hinge", False): ["ops.mean(ops.relu(1 - (2 * y - 1) * z))"],
}


def _keras(task: _Task, theirs: str | None) -> str:
    c, many = task.competitor, task.split.outputs > 1
    if theirs is None:
        raise ValueError(f"keras.optimizers has no {task.rule.name} of this convention")
    if c.dropout:
        raise ValueError("Keras draws masks of its own")
    more = f", global_clipnorm={c.clip!r}" if c.clip else ""
    more += f", use_ema=True, ema_momentum={c.average!r}" if c.average else ""
    penalty = f", kernel_regularizer=keras.regularizers.L2({0.5 * c.l2!r})" if c.l2 else ""
    *lines, value = _KERAS_LOSSES[c.loss, many]
    rate = task.hypers.get("lr", 1.0)
    return _text([
        *_head(task, "Keras' own layers and rule, which count in single precision in places.", [
            "import os", "", 'os.environ.setdefault("JAX_ENABLE_X64", "1")  # for Keras on JAX', "",
            "import keras", "import numpy as np", "from keras import ops", "",
            'keras.config.set_floatx("float64")',
        ]),
        *_data(task), *_smoothed(task), "", *_counted(task), *_weights(task), *_batches(task),
        *_factor(task),
        "def loss(y, z):", *indent(1, [*lines, f"return {value}"]), "", "",
        "model = keras.Sequential([keras.Input((sizes[0],))])",
        f'activation = "{task.network.activation}"',
        "for width in sizes[1:-1]:",
        f"    model.add(keras.layers.Dense(width, activation=activation{penalty}))",
        f"model.add(keras.layers.Dense(sizes[-1]{penalty}))",
        "model.set_weights(weights)",
        f"optimizer = {theirs[:-1]}{more})",
        "model.compile(optimizer, loss)",
        "losses = []",
        f"for k in range({task.steps}):",
        *([f"    optimizer.learning_rate = {rate!r} * factor(k)"] if task.schedule else []),
        "    chosen = batch(k)",
        "    losses.append(float(model.train_on_batch(X[chosen], Y[chosen])))",
        "    model.reset_metrics()  # else it tells the mean of all batches",
        "print(losses[0], losses[-1])",
    ])  # fmt: skip
