"""A network's training as a script to run elsewhere: plain NumPy, PyTorch, JAX with optax, Keras.

The script holds the very data, draws the same first weights and the same batches, and takes the
same steps; in NumPy the gradient is written out. Where a framework has the rule the script takes it
from there; where it has not, the script carries the rule as `rule_code` prints it and says so.
Every script leaves `losses`, the loss of each batch before its step.
"""

from __future__ import annotations

import base64
import math
import re
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from engine.emit.array_source import ArraySource
from engine.emit.dialect import indent
from engine.optimizers import Optimizer
from engine.optimizers.schedules import Schedule, find_schedule
from engine.problems.data import Split
from engine.problems.networks import MLP
from engine.runs.descent import find_optimizer
from engine.runs.learning import MASK_STREAM, Competitor, groups_of
from engine.runs.objectives import Objective
from engine.runs.training import Group
from engine.studies import schedule_code
from engine.studies.frameworks import own_rule, script_text
from engine.studies.rule_code import RuleSource, of_counting, of_matrices, rule_source
from engine.tape import Vector, autograd

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
    def mixed(self) -> bool:
        """Whether every epoch takes the examples in another order."""
        return self.competitor.shuffle and self.batch < self.examples

    @property
    def shapes(self) -> list[tuple[int, ...]]:
        """Of the weights and biases of each layer in turn."""
        pairs = zip(self.network.sizes, self.network.sizes[1:], strict=False)
        return [shape for a, c in pairs for shape in ((a, c), (c,))]

    @property
    def groups(self) -> tuple[Group, ...]:
        return groups_of(self.competitor, [np.zeros(shape) for shape in self.shapes])


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
    double precision from weights of single precision, `network.initial(seed, np.float32)`, as the
    laboratory's (Keras, whatever it is told, uses single in places).

    Raises ValueError where the rule goes more ways than can be written out, where Keras would draw
    masks of its own, and for data too large for a script.
    """
    competitor.check(split)
    if not isinstance(network.activation, str):
        raise ValueError("an activation without a name is not written out")
    task = _Task(network, split, competitor, steps, seed)
    if framework == "NumPy":
        return _numpy(task)
    if framework == "PyTorch":
        return _torch(task, _torch_optimizers(task))
    planned = task.schedule is not None
    theirs = own_rule(framework, task.rule.slug, task.hypers, task.options, planned=planned)
    return {"optax": _optax, "Keras": _keras}[framework](task, theirs)


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
    """The numbers that batches and masks are drawn by."""
    return of_counting([
        *(["order"] if task.mixed else []), *(["uniform"] if task.competitor.dropout else [])
    ])  # fmt: skip


def _weights(task: _Task) -> list[str]:
    return [
        f"sizes = {task.network.sizes!r}",
        f"rng = np.random.default_rng({task.seed})",
        "weights = []  # W (in, out) and b (out,) of each layer in turn",
        "for a, c in zip(sizes, sizes[1:]):",
        *indent(
            1,
            [
                *_DRAWN[task.competitor.scheme],
                "weights += [part.astype(np.float32).astype(float) for part in (W, b)]",
            ],
        ),
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


def _rules(task: _Task) -> RuleSource:
    """The rules of the competitor's groups on the network's tensors."""
    return rule_source(task.groups, task.shapes, scheduled=task.schedule is not None)


def _clip(task: _Task, line: bool) -> list[str]:
    c = task.competitor.clip
    if not c:
        return []
    squares = "(g * g).sum()" if line else "sum((part * part).sum() for part in g)"
    short = [f"short = min({c!r} / (np.sqrt({squares}) + 1e-6), 1.0)"]
    cut = "g = g * short  # clipped" if line else "g = [part * short for part in g]  # clipped"
    return [*short, cut]


def _carried(task: _Task, says: str, imports: list[str], gradient: list[str],
             product: list[str]) -> str:  # fmt: skip
    """A script that carries its rule in NumPy. gradient is the source of loss_and_gradient(weights,
    x, y, *masks), product that of hessian_product(weights, along, x, y, *masks); weights, gradients
    and what the Hessian is multiplied by are lists of NumPy's arrays."""
    rules, c = _rules(task), task.competitor
    line = rules.form == "line"
    w, more = ("w", ", masks(k)") if line else ("weights", ", masks(k)")
    given = f"X[chosen], Y[chosen]{more if c.dropout else ''}"
    joined = ["g = np.concatenate([part.ravel() for part in g])"] if line else []
    here = f"cut({w})" if line else w
    at = [
        f"def at(k, {w}):",
        '    """The loss of step k\'s examples at these weights, and its gradient."""',
        "    chosen = batch(k)",
        f"    value, g = loss_and_gradient({here}, {given})",
        *indent(1, [*joined, *_clip(task, line)]),
        "    return value, g", "", "",
    ]  # fmt: skip
    if "product" in rules.asked:
        along = "cut(v)" if line else "v"
        found = f"hessian_product({here}, {along}, {given})"
        ravel = f"np.concatenate([part.ravel() for part in {found}])"
        at = [
            *product, *at, f"def product(k, {w}, v):",
            '    """The Hessian of that loss times v."""', "    chosen = batch(k)",
            f"    return {ravel if line else found}", "", "",
        ]  # fmt: skip
    counting = [*(["order"] if task.mixed else []), *(["signs"] if "u" in rules.asked else []),
                *(["uniform"] if c.dropout else [])]  # fmt: skip
    return script_text([
        *_head(task, says, imports), *_data(task), *_smoothed(task), "", *of_counting(counting),
        *_weights(task), *_batches(task), *gradient, *(_CUT if line or "u" in rules.asked else []),
        *at, *_factor(task), *of_matrices(rules.source), *rules.source, *_steps(task, rules),
    ])  # fmt: skip


def _steps(task: _Task, rules: RuleSource) -> list[str]:
    """The loop of rules that are written out."""
    c = task.competitor
    t, factor = "float(k + 1)", "factor(k)" if task.schedule else "1.0"
    line, each = rules.form == "line", rules.form == "each"
    w = "w" if line else "weights"
    asked = {"at": f"lambda {w}: at(k, {w})", "product": f"lambda v: product(k, {w}, v)"}
    asked["u"] = "u[i]" if each else "u"
    more = "".join(f", {asked[name]}" for name in rules.asked)
    draws = _draws(task, line) if "u" in rules.asked else []
    begin = ["w = np.concatenate([part.ravel() for part in weights])"] if line else []
    if each:
        same = len({*map(tuple, rules.start)}) == 1
        begin += [f"rules = [{', '.join(rules.functions)}]"]
        if same:
            kept = f"[[{', '.join(rules.start[0])}] for w in weights]"
            begin.append(f"kept = {kept}")
        else:
            begin += ["kept = [", *(
                f"    [{', '.join(start)}]," for start in (
                    [re.sub(r"\bw\b", f"weights[{i}]", text) for text in start]
                    for i, start in enumerate(rules.start)
                )
            ), "]"]  # fmt: skip
        step = [
            "for i, rule in enumerate(rules):",
            f"    given = {t}, {factor}, value, g[i], weights[i]",
            f"    weights[i], *kept[i] = rule(*given, *kept[i]{more})",
        ]
    elif line:
        start, name = rules.start[0], rules.functions[0]
        begin.append(f"kept = [{', '.join(start)}]")
        step = [f"w, *kept = {name}({t}, {factor}, value, g, w, *kept{more})"] if start else [
            f"w = {name}({t}, {factor}, value, g, w{more})"
        ]  # fmt: skip
        begin = begin if start else begin[:-1]
    else:
        start = [re.sub(r"\bw\b", "weights", text) for text in rules.start[0]]
        begin += ["kept = [", *(f"    {text}," for text in start), "]"]
        step = [
            f"weights, kept = {rules.functions[0]}({t}, {factor}, value, g, weights, kept{more})"
        ]
    averaged = [_keep(c), "average = keep * average + (1 - keep) * w"]
    if not line:
        averaged[1:] = ["average = [keep * a + (1 - keep) * w for a, w in zip(average, weights)]"]
    return [
        *begin,
        *([f"average = {'w.copy()' if line else 'list(weights)'}"] if c.average else []),
        "losses = []",
        'with np.errstate(all="ignore"):',
        f"    for k in range({task.steps}):",
        *indent(2, [
            f"value, g = at(k, {w})", "losses.append(float(value))", *draws, *step,
            *(averaged if c.average else []),
        ]),
        "print(losses[0], losses[-1])",
    ]  # fmt: skip


def _keep(c: Competitor) -> str:
    """What is left of the average at step k, which begins with the first step's weights."""
    return f"keep = {c.average!r} if k else 0.0"


def _draws(task: _Task, line: bool) -> list[str]:
    """The random signs of a step: those of a group lie end to end over its own tensors."""

    def drawn(sizes: list[int]) -> str:
        return f"signs({task.seed}, k + 1, {sum(sizes)})"

    every = list(map(math.prod, task.shapes))
    if len(task.groups) == 1:
        return [f"u = {drawn(every) if line else f'cut({drawn(every)})'}"]
    found = ["u = list(weights)"]
    for group in task.groups:
        if group.optimizer.draws is not None:
            sizes = [every[i] for i in group.members]
            ends = np.cumsum(sizes)[:-1].tolist()
            found += [
                f"parts = np.split({drawn(sizes)}, {ends})",
                f"for i, part in zip({group.members}, parts):",
                "    u[i] = part.reshape(shapes[i])",
            ]
    return found


def _product(task: _Task) -> list[str]:
    """The Hessian of the loss times a vector, recorded forwards over backwards and printed."""
    c, n = task.competitor, len(task.shapes)
    objective = Objective(task.network, c.loss, 0.0, c.l2, c.dropout)
    shapes = [(task.batch, width) for width in task.network.sizes[1:-1]] if c.dropout else []
    tensors = [np.full(shape, 0.5) for shape in task.shapes]
    batch = np.ones((task.batch, task.network.sizes[0])), np.zeros((task.batch, task.split.outputs))
    masks = [np.ones(shape) for shape in shapes]

    def product(weights: Any, along: Any, x: Any, y: Any, masks: Any) -> Any:
        slope = autograd.grad(lambda w: objective(w, x, y, *masks))
        return autograd.jvp(slope, (Vector(weights),), (Vector(along),))[1]

    names = [[f"{kind}{i}" for i in range(count)] for kind, count in (
        ("w", n), ("v", n), ("mask", len(masks)),
    )]  # fmt: skip
    source = ArraySource(
        product, (tensors, tensors, *batch, masks), [*names[0], *names[1], "x", "y", *names[2]],
        returned=list, branching=False,
    )  # fmt: skip
    body = source.body()
    unpacked = [
        f"{', '.join(parts)}{',' * (len(parts) == 1)} = {kind}"
        for kind, parts in (("weights", names[0]), ("along", names[1]), ("masks", names[2]))
        if parts
    ]
    return [
        f"def hessian_product(weights, along, x, y{', masks' if masks else ''}):",
        '    """The Hessian of the loss times a vector: the gradient\'s change along it."""',
        *indent(1, [*unpacked, *body]), "", "",
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
    ]  # fmt: skip
    says = "Plain NumPy: the network, its gradient and the rule as printed."
    probes = any(group.optimizer.draws is not None for group in task.groups)
    product = _product(task) if probes else []
    return _carried(task, says, ["import numpy as np"], gradient, product)


def _torch_optimizers(task: _Task) -> list[str] | None:
    """PyTorch's own optimizers of the competitor's groups, None where it lacks one."""
    found = []
    for group in task.groups:
        slug, hypers, options = group.optimizer.slug, group.hypers, group.options
        # torch.optim's Muon takes matrices alone, of which a run in the plane has none.
        theirs = (
            _torch_muon(hypers, options)
            if slug == "muon"
            else own_rule("PyTorch", slug, hypers, options)
        )
        if theirs is None:
            return None
        parameters = "parameters"
        if len(task.groups) > 1:
            members = ", ".join(map(str, group.members))
            parameters = f"[parameters[i] for i in ({members},)]"
        found.append(theirs.replace("[w]", parameters))
    return found


def _torch_muon(h: Mapping[str, float], o: Mapping[str, str | bool]) -> str | None:
    if o["scale"] == "none":
        return None
    return (
        f"torch.optim.Muon([w], lr={h['lr']!r}, weight_decay={h['weight_decay']!r}, "
        f"momentum={h['beta']!r}, nesterov={o['nesterov']!r}, adjust_lr_fn={o['scale']!r})"
    )


def _torch(task: _Task, theirs: list[str] | None) -> str:
    c, many = task.competitor, task.split.outputs > 1
    *lines, value = _TORCH_LOSSES[c.loss, many]
    imports = [
        "import numpy as np", "import torch", "import torch.nn.functional as F", "",
        "torch.set_default_dtype(torch.float64)",
    ]  # fmt: skip
    if theirs is None:
        says = (
            f"torch.optim has no {task.rule.name} of this convention:\nthe script carries the rule."
        )
        return _carried(task, says, imports, *_torch_functions(task, lines, value))
    says = "PyTorch's own layers, losses and rule."
    if len(theirs) > 1:
        says = (
            "PyTorch's own layers, losses and rules; its Muon makes a step orthogonal in\n"
            "bfloat16, to two or three digits."
        )
    begin = [
        *_data(task), *_smoothed(task), "", *_counted(task), *_weights(task), *_batches(task),
        *_torch_layers(task), *indent(1, lines), f"    value = {value}",
        *(_torch_penalty(c.l2) if c.l2 else []), "    return value", "", "",
    ]  # fmt: skip
    own = None
    rates = [group.hypers.get("lr", 1.0) for group in task.groups]
    plans = []
    for name, rate in zip(_named("optimizer", theirs), rates, strict=True):
        own = schedule_code.of_torch(task.schedule, task.steps, rate) if task.schedule else None
        plan = own or "torch.optim.lr_scheduler.LambdaLR(optimizer, factor)"
        plans.append(plan.replace("(optimizer,", f"({name},"))
    averages = [
        _keep(c),
        "for a, p in zip(average, parameters):", "    a.mul_(keep).add_((1 - keep) * p.detach())",
    ] if c.average else []  # fmt: skip
    optimizers, schedulers = _named("optimizer", theirs), _named("scheduler", theirs)
    return script_text([
        *_head(task, says, imports), *begin,
        *([] if own else _factor(task)),
        *(f"{name} = {made}" for name, made in zip(optimizers, theirs, strict=True)),
        *([f"{name} = {plan}" for name, plan in zip(schedulers, plans, strict=True)]
          if task.schedule else []),
        *(["average = [p.detach().clone() for p in parameters]"] if c.average else []),
        "losses = []",
        f"for k in range({task.steps}):",
        *indent(1, [
            *(f"{name}.zero_grad()" for name in optimizers),
            "value = loss(k)", "value.backward()",
            *([f"torch.nn.utils.clip_grad_norm_(parameters, {c.clip!r})"] if c.clip else []),
            *(f"{name}.step()" for name in optimizers),
            *([f"{name}.step()" for name in schedulers] if task.schedule else []), *averages,
            "losses.append(value.item())",
        ]),
        "print(losses[0], losses[-1])",
    ])  # fmt: skip


def _named(name: str, several: list[str]) -> list[str]:
    """A name for each: with a number from the second on."""
    return [name + (str(i + 1) if i else "") for i in range(len(several))]


def _torch_layers(task: _Task) -> list[str]:
    """The network of PyTorch's layers, and the head of its loss at step k, to the outputs z."""
    return [
        "layers = []", "for i in range(0, len(weights), 2):",
        "    layer = torch.nn.Linear(*weights[i].shape)",
        "    layer.weight.data = torch.tensor(weights[i].T.copy())",
        "    layer.bias.data = torch.tensor(weights[i + 1])",
        "    layers.append(layer)",
        f"activation = {_ACTIVATIONS[str(task.network.activation)][2]}",
        "parameters = [p for layer in layers for p in layer.parameters()]",
        "X, Y = torch.tensor(X), torch.tensor(Y)", "", "",
        "def loss(k):", "    chosen = batch(k)", "    z, y = X[chosen], Y[chosen]",
        *(["    kept = masks(k)"] if task.competitor.dropout else []),
        "    for i, layer in enumerate(layers):", "        z = layer(z)",
        "        if i + 1 < len(layers):", "            z = activation(z)",
        *(["            z = z * torch.tensor(kept[i])"] if task.competitor.dropout else []),
    ]  # fmt: skip


def _torch_penalty(l2: float) -> list[str]:
    return [
        "    squares = sum((layer.weight**2).sum() for layer in layers)",
        f"    value = value + 0.5 * {l2!r} * squares",
    ]


def _torch_functions(task: _Task, lines: list[str], value: str) -> tuple[list[str], list[str]]:
    """loss_and_gradient and hessian_product of lists of NumPy's arrays, by PyTorch."""
    c = task.competitor
    dropped = ", masks" if c.dropout else ""
    loss = [
        f"activation = {_ACTIVATIONS[str(task.network.activation)][2]}", "", "",
        f"def loss(weights, x, y{dropped}):", "    z, y = torch.tensor(x), torch.tensor(y)",
        "    for i in range(0, len(weights), 2):", "        z = z @ weights[i] + weights[i + 1]",
        "        if i + 2 < len(weights):", "            z = activation(z)",
        *(["            z = z * torch.tensor(masks[i // 2])"] if c.dropout else []),
        *indent(1, lines), f"    value = {value}",
        *([f"    value = value + 0.5 * {c.l2!r} * sum((W**2).sum() for W in weights[::2])"]
          if c.l2 else []),
        "    return value", "", "",
        "def tensors(parts):",
        "    return [torch.tensor(part, requires_grad=True) for part in parts]", "", "",
    ]  # fmt: skip
    return [
        *loss, f"def loss_and_gradient(weights, x, y{dropped}):", "    weights = tensors(weights)",
        f"    value = loss(weights, x, y{dropped})",
        "    g = torch.autograd.grad(value, weights)",
        "    return value.item(), [part.numpy() for part in g]", "", "",
    ], [
        f"def hessian_product(weights, along, x, y{dropped}):", "    weights = tensors(weights)",
        f"    value = loss(weights, x, y{dropped})",
        "    g = torch.autograd.grad(value, weights, create_graph=True)",
        "    slope = sum((a * torch.tensor(b)).sum() for a, b in zip(g, along))",
        "    found = torch.autograd.grad(slope, weights, materialize_grads=True)",
        "    return [part.numpy() for part in found]", "", "",
    ]  # fmt: skip


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


def _jax_functions(
    loss: list[str], dropped: str, name: str = "loss"
) -> tuple[list[str], list[str]]:
    """loss_and_gradient and hessian_product of lists of NumPy's arrays, by JAX of a loss."""
    return [
        *loss, f"by_jax = jax.jit(jax.value_and_grad({name}))", "", "",
        f"def loss_and_gradient(weights, x, y{dropped}):",
        f"    value, g = by_jax(weights, x, y{dropped})",
        "    return float(value), [np.array(part) for part in g]", "", "",
    ], [
        "@jax.jit", f"def hessian_product(weights, along, x, y{dropped}):",
        f"    slope = jax.grad(lambda weights: {name}(weights, x, y{dropped}))",
        "    return jax.jvp(slope, (weights,), (along,))[1]", "", "",
    ]  # fmt: skip


def _optax(task: _Task, theirs: str | None) -> str:
    c, many = task.competitor, task.split.outputs > 1
    dropped = ", masks" if c.dropout else ""
    loss = [
        f"def loss(weights, x, y{dropped}):",
        "    z = x @ weights[0] + weights[1]", "    for i in range(2, len(weights), 2):",
        f"        h = {_JAX_ACTIVATIONS[str(task.network.activation)]}",
        *(["        h = h * masks[i // 2 - 1]"] if c.dropout else []),
        "        z = h @ weights[i] + weights[i + 1]",
        f"    value = {_JAX_LOSSES[c.loss, many][0]}",
        *([f"    value = value + 0.5 * {c.l2!r} * sum((W * W).sum() for W in weights[::2])"]
          if c.l2 else []),
        "    return value", "", "",
    ]  # fmt: skip
    compiled = ["loss_and_gradient = jax.jit(jax.value_and_grad(loss))", "", ""]
    imports = [
        "import jax", "import jax.numpy as jnp", "import numpy as np", "import optax", "",
        'jax.config.update("jax_enable_x64", True)',
    ]  # fmt: skip
    begin = [
        *_data(task), *_smoothed(task), "", *_counted(task), *_weights(task), *_batches(task),
        *loss, *compiled,
    ]  # fmt: skip
    masks = ", masks(k)" if c.dropout else ""
    if theirs is None:
        says = f"optax has no {task.rule.name} of this convention: the script carries the rule."
        return _carried(task, says, imports, *_jax_functions(loss, dropped))
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
        _keep(c), "average = [keep * a + (1 - keep) * w for a, w in zip(average, weights)]",
    ] if c.average else []  # fmt: skip
    return script_text([
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
    if c.dropout:
        raise ValueError("Keras draws masks of its own")
    more = f", global_clipnorm={c.clip!r}" if c.clip else ""
    more += f", use_ema=True, ema_momentum={c.average!r}" if c.average else ""
    penalty = f", kernel_regularizer=keras.regularizers.L2({0.5 * c.l2!r})" if c.l2 else ""
    *lines, value = _KERAS_LOSSES[c.loss, many]
    model = [
        "def loss(y, z):", *indent(1, [*lines, f"return {value}"]), "", "",
        "model = keras.Sequential([keras.Input((sizes[0],))])",
        f'activation = "{task.network.activation}"',
        "for width in sizes[1:-1]:",
        f"    model.add(keras.layers.Dense(width, activation=activation{penalty}))",
        f"model.add(keras.layers.Dense(sizes[-1]{penalty}))",
    ]  # fmt: skip
    if theirs is None:
        return _carried(
            task,
            f"keras.optimizers has no {task.rule.name} of this convention: the script carries\n"
            "the rule, and takes the gradient of Keras' layers by JAX.",
            ["import os", "", 'os.environ["KERAS_BACKEND"] = "jax"',
             'os.environ["JAX_ENABLE_X64"] = "1"', "", "import jax", "import keras",
             "import numpy as np", "from keras import ops", "",
             'keras.config.set_floatx("float64")'],
            *_keras_functions(model, c.l2),
        )  # fmt: skip
    rate = task.hypers.get("lr", 1.0)
    return script_text([
        *_head(task, "Keras' own layers and rule, which count in single precision in places.", [
            "import os", "", 'os.environ.setdefault("JAX_ENABLE_X64", "1")  # for Keras on JAX', "",
            "import keras", "import numpy as np", "from keras import ops", "",
            'keras.config.set_floatx("float64")',
        ]),
        *_data(task), *_smoothed(task), "", *_counted(task), *_weights(task), *_batches(task),
        *_factor(task), *model,
        "model.set_weights(weights)",
        f"optimizer = {theirs[:-1]}{more})",
        "model.compile(optimizer, loss)",
        "losses = []",
        f"for k in range({task.steps}):",
        *([f"    optimizer.learning_rate = {rate!r} * factor(k)"] if task.schedule else []),
        "    chosen = batch(k)",
        "    losses.append(float(model.train_on_batch(X[chosen], Y[chosen])))",
        "    model.reset_metrics()  # else it tells the mean of all batches",
        *(["optimizer.finalize_variable_values(model.trainable_variables)  # the averages",
           "average = model.get_weights()"] if c.average else []),
        "print(losses[0], losses[-1])",
    ])  # fmt: skip


def _keras_functions(model: list[str], l2: float) -> tuple[list[str], list[str]]:
    """loss_and_gradient and hessian_product of lists of NumPy's arrays, by JAX of Keras' model."""
    loss = [
        *model, "", "", "def of_weights(weights, x, y):",
        "    z, _ = model.stateless_call(weights, [], x)",
        *(["    squares = sum((W * W).sum() for W in weights[::2])",
           f"    return loss(y, z) + 0.5 * {l2!r} * squares"] if l2 else ["    return loss(y, z)"]),
        "", "",
    ]  # fmt: skip
    return _jax_functions(loss, "", "of_weights")
