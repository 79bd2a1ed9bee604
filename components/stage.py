"""The stage: panels that share one clock, drawn on canvas by the browser.

Tracks, arrows, boxes and handles are painted frame by frame, so playing, scrubbing and stepping
cost the server nothing.  Leaves that lie on the page's tape (`live`) are computed in the browser
and follow the hand within the frame; handles and clicks write into the page's store.

Colours are CSS colours, here and in figures, in three spellings: one colour for both themes,
"light|dark", or "var(--st-text-color)" and the like.  The browser resolves them, so a change
of theme sends nothing.  In figures this holds for every key that ends in color, colors,
colorscale or colorway.  Text, grid and background colours of a figure need not be given.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal, TypeAlias

import numpy as np
import streamlit as st
from numpy.typing import ArrayLike

from components import assets, store, wire
from components.live import Live, Tape

Dash: TypeAlias = Literal["solid", "dash", "dot", "dashdot", "longdash"]
Marker: TypeAlias = Literal[
    "circle", "square", "diamond", "triangle", "triangle-down", "star", "cross", "x", "plus",
    "hexagon", "pentagon", "ring",
]  # fmt: skip
Color: TypeAlias = str
EventKind: TypeAlias = Literal["click", "drop"]

_KINDS: Final[tuple[EventKind, ...]] = ("click", "drop")
_SIDES: Final = ("x0", "y0", "x1", "y1")
_INK: Final = "var(--st-text-color)"
_MOST_OUTPUTS: Final = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Track:
    """Something that moves: one point a frame.

    `y` (and `z` in a scene) holds a point for each frame; `x` may be left out where it is the
    frame's own number.  A mode "trail" is drawn up to the cursor, "curve" is faint as a whole
    and strong up to the cursor, "points" is a marker at each point up to the cursor.  `stop`
    is the frame at which it ends for good (a run that diverged), shown by an end mark.
    """

    y: ArrayLike
    x: ArrayLike | None = None
    z: ArrayLike | None = None
    color: Color = _INK
    dash: Dash = "solid"
    marker: Marker = "circle"
    label: str = ""
    mode: Literal["trail", "curve", "points"] = "trail"
    stop: Any = None
    width: float = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrows:
    """Arrows from (x, y) by (dx, dy): arrays of shape (frames,) or (frames, arrows).

    An array whose first axis is 1 stands still.  The label is written at `label_at` of the
    way from tail to tip.
    """

    x: ArrayLike
    y: ArrayLike
    dx: ArrayLike
    dy: ArrayLike
    color: Color = _INK
    label: str = ""
    label_at: float = 1.0
    width: float = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Boxes:
    """Rectangles, such as moving bars: arrays of shape (frames,) or (frames, boxes).

    `colors` is one colour, or one a box.
    """

    x0: ArrayLike
    y0: ArrayLike
    x1: ArrayLike
    y1: ArrayLike
    colors: Color | Sequence[Color] = _INK
    opacity: float = 0.8


@dataclass(frozen=True, slots=True, kw_only=True)
class Handle:
    """A point that the reader drags by mouse, touch or arrow keys.

    `axis` says which way it moves; `minimum` and `maximum` bound each way it moves (a pair
    for "xy").  `sets` maps names of the page's store to what they become, expressions over the
    tape's `hand`.  With `curve` (xs rising, ys) y is kept on the curve while x moves.  `spoken`
    is its name to whoever listens; without one it is called by its label, or its id.
    """

    id: str
    x: Any
    y: Any
    label: Any = ""
    spoken: str = ""
    axis: Literal["xy", "x", "y"] = "xy"
    sets: Mapping[str, Any] = field(default_factory=dict)
    minimum: Any = None
    maximum: Any = None
    curve: tuple[ArrayLike, ArrayLike] | None = None
    color: Color = _INK
    marker: Marker = "ring"


@dataclass(frozen=True, slots=True, kw_only=True)
class Raster:
    """A picture of cells under the curves: values (rows, cols) are indices into the palette.

    Row 0 lies at y0 and column 0 at x0.  The bounds are in the axes' own coordinates, which on
    a log axis are powers of ten.  `readout` maps a label to an array of the same shape; the
    numbers under the pointer are shown, after the pointer's own coordinates where `names` says
    what they are called; `words` may have, for a label, what is said for a number as the browser
    writes it ({"loss": {"Infinity": "diverges"}}).  `hatched` paper shows where the palette is
    transparent.
    """

    values: ArrayLike
    palette: Sequence[Color]
    x0: Any
    x1: Any
    y0: Any
    y1: Any
    readout: Mapping[str, ArrayLike] = field(default_factory=dict)
    names: tuple[str, str] = ("", "")
    words: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    hatched: bool = False
    smooth: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """One picture on the stage.

    On a "plane" a click sets what `clicks` says (as a handle's `sets`) or is reported; on a
    "chart" with a `cursor` it moves the clock; a "scene" is 3-D and shows tracks alone.
    `figure` gives the ranges of its axes; its zoom and camera are kept until its
    `layout.uirevision` changes.  `cursor` is True where the axis counts frames, or the x of
    each frame.  `rows` and `wide` are how many rows and columns of the stage it spans;
    `tab` is what it is called on a phone, where one is shown at a time.
    """

    id: str
    kind: Literal["plane", "chart", "scene"] = "plane"
    figure: Mapping[str, Any] | None = None
    tracks: Sequence[Track] = ()
    handles: Sequence[Handle] = ()
    arrows: Sequence[Arrows] = ()
    boxes: Sequence[Boxes] = ()
    rasters: Sequence[Raster] = ()
    cursor: bool | ArrayLike = False
    clicks: Mapping[str, Any] = field(default_factory=dict)
    title: Any = ""
    tab: str = ""
    alt: str = ""
    rows: int = 1
    wide: int = 1


@dataclass(frozen=True, slots=True)
class Event:
    """What the reader did on a panel, in data coordinates; `id` is the handle's, "" for a click."""

    panel: str
    id: str
    kind: EventKind
    x: float
    y: float


@dataclass(slots=True)
class _Record:
    """What this session remembers of one stage between runs."""

    wire: wire.Wire = field(default_factory=wire.Wire)
    need: int = 0
    seq: int = 0
    digest: str = ""


@dataclass(frozen=True, slots=True)
class Shown:
    """`frame` is the last one reported, None before any; `sensitive` says that a run came out
    otherwise in the browser, at the last bit amplified, and that Python's is shown."""

    frame: int | None
    sensitive: bool


_COMPONENT: Final = st.components.v2.component(
    "descent_lab.stage", js=assets.loader("stage/stage.js"), isolate_styles=False
)


def stage(
    key: str,
    panels: Sequence[Panel],
    *,
    live: Tape | None = None,
    frames: Any,
    seconds: float = 6.0,
    autoplay: bool = False,
    loop: bool = False,
    height: int = 420,
    columns: int | Sequence[float] | None = None,
    alt: Any = "",
    playback: bool = True,
    legend: bool = True,
    report_cursor: bool = False,
    sound: str = "",
    start_frame: int | None = None,
    restart: str = "",
    frame_name: str = "step",
    captions: Sequence[Any] = (),
    lines: Sequence[Any] = (),
    on_event: Callable[[Event], None] | None = None,
) -> Shown:
    """Show panels that share a clock of `frames` frames, `seconds` long at normal speed.

    The key is `page.name`: the part before the first point names the page's store.  `height` is
    the whole of it in CSS pixels, playback bar included, where the panels stand side by side;
    `columns` gives their relative widths, or a number of columns to wrap at.  Where autoplay is
    off (or the reader prefers reduced motion) the last frame is shown, or `start_frame`, which
    moves the clock again whenever it changes; another `restart` plays from the beginning.
    `autoplay` and `loop` say how the clock starts; afterwards it is the reader's.  With
    `report_cursor` the frame comes back when the clock rests.  `sound` is the id of a panel whose
    curves can be heard.  `frame_name` is what a frame is
    called.  `captions` has a line for each frame, the last of them for all that follow; numbers
    of its words may be columns, of which a frame shows its own (nothing where one is missing).
    `lines` are sentences under the pictures that follow the hand.  `on_event` is called before the
    script runs, for what sets nothing in the store.
    """
    page = key.partition(".")[0]
    answers = wire.state(key)
    record = _record(key)
    need, missing = wire.payload(answers, "need")
    if need != record.need:
        record.need = need
        record.wire.forget(missing.get("refs"))
    follow = None if live is None or missing.get("still") is True else Live(page, live)
    record.wire.live = follow
    record.wire.fresh = False

    if follow is None or not live or not live.owns(frames):
        frames = max(1, int(getattr(frames, "data", frames)))
    count = int(getattr(frames, "data", frames))
    data: dict[str, Any] = {
        "page": page,
        "frames": record.wire.number(frames),
        "seconds": max(0.1, float(seconds)),
        "autoplay": autoplay,
        "restart": restart,
        "loop": loop,
        "height": int(height),
        "columns": columns if columns is None or isinstance(columns, int) else list(columns),
        "alt": record.wire.words(alt),
        "playback": playback and count > 1,
        "legend": legend,
        "report": report_cursor,
        "sound": sound,
        "start": start_frame,
        "frameName": frame_name,
        "captions": [_caption(line, record.wire) for line in captions],
        "lines": [record.wire.words(line) for line in lines],
        "plotly": assets.address(assets.plotly(), "plotly.min.js"),
        "panels": [_panel(panel, record.wire) for panel in panels],
    }
    doubted, about = _doubts(answers)
    if follow is not None and follow.outputs:
        same = about == _numbers(follow.tape.values)
        data["program"] = follow.spec(record.wire, store.seen(page), doubted if same else ())
    else:
        same = False
        data["program"] = None
    record.wire.live = None
    text, content = _text(data, record.wire)
    if content != record.digest:
        record.digest = content
        record.seq += 1
    _, cursor = wire.payload(answers, "cursor")

    targets = {panel.id: {handle.id for handle in panel.handles} for panel in panels}

    def announce() -> None:
        _, body = wire.payload(wire.state(key), "event")
        event = _event(body, targets)
        if on_event is not None and event is not None:
            on_event(event)

    _COMPONENT(
        key=key,
        data=text[:-1] + b"," + wire.packed({"seq": record.seq, "need": need})[1:],
        on_event_change=announce,
        on_cursor_change=_ignore,
        on_need_change=_ignore,
        on_doubt_change=_ignore,
    )
    frame = wire.number(cursor.get("frame"))
    return Shown(
        None if frame is None else min(max(int(frame), 0), count - 1), same and bool(doubted)
    )


def standing(panel: Panel) -> dict[str, Any]:
    """A panel of numbers alone, as the browser's panels take it: for pictures beside a stage."""
    return _panel(panel, wire.Wire(named=False))


def _doubts(answers: Mapping[str, Any]) -> tuple[list[int], dict[str, Any] | None]:
    """The outputs that the browser found otherwise, and the values at which it did."""
    _, body = wire.payload(answers, "doubt")
    given = body.get("outputs")
    places = given if isinstance(given, list) else []
    doubted = [k for k in places[:_MOST_OUTPUTS] if isinstance(k, int) and k >= 0]
    values = body.get("values")
    return doubted, _numbers(values) if isinstance(values, Mapping) else None


def _numbers(values: Mapping[str, Any]) -> dict[str, Any]:
    """Values as numbers and lists of them, which compare whatever they came as."""
    return {
        name: [wire.number(v) for v in value] if isinstance(value, list) else wire.number(value)
        for name, value in values.items()
    }


def _ignore() -> None:
    """Streamlit keeps only the states that have a callback."""


def _record(key: str) -> _Record:
    name = f"_stage:{key}"
    record = st.session_state.get(name)
    if not isinstance(record, _Record):
        record = st.session_state[name] = _Record()
    return record


def _event(body: Mapping[str, Any], handles: Mapping[str, set[str]] | None = None) -> Event | None:
    """The event in a browser's answer, or None; `handles` are the known ids of each panel."""
    panel, handle = wire.text(body.get("panel")), wire.text(body.get("id"))
    x, y = wire.number(body.get("x")), wire.number(body.get("y"))
    kind = next((known for known in _KINDS if known == body.get("kind")), None)
    if panel is None or handle is None or x is None or y is None or kind is None:
        return None
    if (kind == "click") != (handle == ""):
        return None
    if handles is not None and (panel not in handles or handle not in handles[panel] | {""}):
        return None
    return Event(panel, handle, kind, x, y)


def _panel(panel: Panel, encoder: wire.Wire) -> dict[str, Any]:
    fresh, encoder.fresh = encoder.fresh, False
    figure = encoder.figure(panel.figure or {"data": [], "layout": {}})
    _, content = _text(figure, encoder)
    encoder.fresh |= fresh
    cursor = panel.cursor
    return {
        "id": panel.id,
        "kind": panel.kind,
        "title": encoder.words(panel.title),
        "tab": panel.tab,
        "alt": panel.alt,
        "rows": max(1, int(panel.rows)),
        "wide": max(1, int(panel.wide)),
        "figure": figure,
        "hash": content,
        "tracks": [_track(track, encoder) for track in panel.tracks],
        "handles": [_handle(handle, encoder) for handle in panel.handles],
        "arrows": [
            {
                **{name: _per_frame(getattr(a, name), encoder) for name in ("x", "y", "dx", "dy")},
                "color": a.color,
                "label": a.label,
                "labelAt": a.label_at,
                "width": a.width,
            }
            for a in panel.arrows
        ],
        "boxes": [
            {
                **{
                    name: _per_frame(getattr(b, name), encoder) for name in ("x0", "y0", "x1", "y1")
                },
                "colors": [b.colors] if isinstance(b.colors, str) else list(b.colors),
                "opacity": b.opacity,
            }
            for b in panel.boxes
        ],
        "rasters": [_raster(raster, encoder) for raster in panel.rasters],
        "cursor": cursor if isinstance(cursor, bool) else encoder.floats(cursor),
        "clicks": {name: encoder.number(value) for name, value in panel.clicks.items()},
    }


def _text(value: Any, encoder: wire.Wire) -> tuple[bytes, str]:
    """A spec as JSON, and a name of it that is the same whether large arrays are in it or not."""
    text = wire.packed(value)
    return text, wire.digest(wire.packed(_without_bytes(value)) if encoder.fresh else text)


def _without_bytes(value: Any) -> Any:
    """The spec with each large array under its name alone: the same whether sent or not."""
    if isinstance(value, Mapping):
        return {k: _without_bytes(v) for k, v in value.items() if k != "b64" or "ref" not in value}
    return [_without_bytes(v) for v in value] if isinstance(value, list) else value


def _track(track: Track, encoder: wire.Wire) -> dict[str, Any]:
    return {
        "x": None if track.x is None else encoder.floats(track.x),
        "y": encoder.floats(track.y),
        "z": None if track.z is None else encoder.floats(track.z),
        "color": track.color,
        "dash": track.dash,
        "marker": track.marker,
        "label": track.label,
        "mode": track.mode,
        "stop": None if track.stop is None else encoder.number(track.stop),
        "width": track.width,
    }


def _handle(handle: Handle, encoder: wire.Wire) -> dict[str, Any]:
    curve = handle.curve
    return {
        "id": handle.id,
        "x": encoder.number(handle.x),
        "y": encoder.number(handle.y),
        "label": encoder.words(handle.label),
        "spoken": handle.spoken,
        "axis": handle.axis,
        "sets": {name: encoder.number(value) for name, value in handle.sets.items()},
        "min": _bounds(handle.minimum, encoder),
        "max": _bounds(handle.maximum, encoder),
        "curve": None if curve is None else [encoder.floats(curve[0]), encoder.floats(curve[1])],
        "color": handle.color,
        "marker": handle.marker,
    }


def _bounds(bound: Any, encoder: wire.Wire) -> list[Any] | None:
    """Bounds for [x, y]; a single number bounds both (only the way it moves is looked at)."""
    if bound is None:
        return None
    x, y = bound if isinstance(bound, tuple) else (bound, bound)
    return [encoder.number(x), encoder.number(y)]


def _caption(line: Any, encoder: wire.Wire) -> Any:
    """A text, or the pieces of one and its numbers, each one or a column of one a frame."""
    if not hasattr(line, "template"):
        return str(line)
    return {"$text": line.spec(), "args": [encoder.floats(a) for a in line.arguments]}


def _per_frame(values: ArrayLike, encoder: wire.Wire) -> dict[str, Any]:
    if (moving := encoder.moving(values)) is not None:
        return moving
    array = np.asarray(values, dtype=np.float64)
    return encoder.floats(array.reshape(1, 1) if array.ndim == 0 else array.reshape(len(array), -1))


def _raster(raster: Raster, encoder: wire.Wire) -> dict[str, Any]:
    bounds = (raster.x0, raster.x1, raster.y0, raster.y1)
    return {
        "values": encoder.moving(raster.values) or encoder.array(raster.values, "u1"),
        "palette": list(raster.palette),
        "bounds": [encoder.number(end) for end in bounds],
        "readout": [
            [label, encoder.moving(v) or encoder.array(v, "f4")]
            for label, v in raster.readout.items()
        ],
        "names": list(raster.names),
        "words": {label: dict(said) for label, said in raster.words.items()},
        "hatched": raster.hatched,
        "smooth": raster.smooth,
    }
