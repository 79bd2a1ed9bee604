"""Long work in a process of its own: it takes nothing from the others, and it can be ended.

What a reader starts may compile for seconds or fill the memory, and no thread can be stopped in
the middle of that. So it is sent to one process, started when first needed, at a low rank and with
a limit on its memory. It is told to stop, and is ended if it does not. It ends by itself once it
has grown or has rested for long: the memory of compiled code, which Numba never gives back, goes
with it. Nobody is left without: the next piece of work starts another.
"""

from __future__ import annotations

import atexit
import os
import pickle
import queue
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from importlib.util import find_spec
from io import BytesIO
from pathlib import Path
from typing import IO, Any, Final, TypeVar

from engine import limits
from engine.emit.compiled import kernels_left
from engine.optimizers import OPTIMIZERS, Optimizer
from engine.problems.landscapes import Landscape
from engine.runs.descent import find_optimizer
from engine.runs.sweeps import describe_landscape, found_landscape

ROOT: Final = Path(__file__).resolve().parents[2]
_HEAD: Final = struct.Struct("!Q")  # the length of a message, before it
# glibc gives arrays back once they are freed; by itself it keeps them for the next ones.
_MEMORY: Final = {"MALLOC_MMAP_THRESHOLD_": str(1 << 18), "MALLOC_ARENA_MAX": "2"}
_LOOK: Final = 0.05  # seconds between two questions whether to go on

Made = TypeVar("Made")


class Ended(Exception):
    """The work was told to stop, did not, and was ended."""


class Broken(ValueError):
    """The process ended by itself in the middle of the work."""

    def __init__(self) -> None:
        super().__init__(
            "The process that worked on this ended before it was done: it took too much memory, "
            "or the server is about to stop."
        )


# What goes over the pipe --------------------------------------------------------------------------


class _Pickler(pickle.Pickler):
    """Rules and landscapes travel by name, typed ones by their text: functions cannot."""

    def reducer_override(self, thing: Any) -> Any:
        if isinstance(thing, Landscape):
            return found_landscape, describe_landscape(thing)
        if isinstance(thing, Optimizer) and OPTIMIZERS.get(thing.slug) is thing:
            return find_optimizer, (thing.slug,)
        return NotImplemented


def _send(pipe: IO[bytes], message: tuple[Any, ...]) -> None:
    body = BytesIO()
    _Pickler(body, pickle.HIGHEST_PROTOCOL).dump(message)
    pipe.write(_HEAD.pack(body.tell()))
    pipe.write(body.getbuffer())
    pipe.flush()


def _receive(pipe: IO[bytes]) -> tuple[Any, ...] | None:
    """The next message; None where the other side has gone."""
    head = pipe.read(_HEAD.size)
    if len(head) < _HEAD.size:
        return None
    size = _HEAD.unpack(head)[0]
    body = pipe.read(size)
    if len(body) < size:
        return None
    message: tuple[Any, ...] = pickle.loads(body)
    return message


# Outside ------------------------------------------------------------------------------------------


class Workshop:
    """The process, seen from outside."""

    def __init__(self) -> None:
        path = [str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
        self.process = subprocess.Popen(
            [sys.executable, "-m", "engine.runs.workshop"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            pipesize=1 << 20,
            env={**os.environ, **_MEMORY, "PYTHONPATH": os.pathsep.join(path)},
        )
        self.heard: queue.SimpleQueue[tuple[Any, ...] | None] = queue.SimpleQueue()
        threading.Thread(target=self._listen, name="workshop", daemon=True).start()

    def _listen(self) -> None:
        assert self.process.stdout is not None
        try:
            with self.process.stdout as pipe, suppress(OSError):
                while (message := _receive(pipe)) is not None:
                    self.heard.put(message)
        finally:
            self.heard.put(None)

    def say(self, *message: Any) -> None:
        """Send a message. Raises OSError where nobody is there any more."""
        assert self.process.stdin is not None
        _send(self.process.stdin, message)

    def end(self) -> None:
        """End the process, whatever it is at."""
        self.process.kill()
        with suppress(OSError):
            self.process.stdin.close()  # type: ignore[union-attr]
        self.process.wait()


_turn: Final = threading.Lock()
_now: Workshop | None = None


def call(
    function: Callable[..., Made],
    /,
    *args: Any,
    progress: Callable[[float], None],
    cancelled: Callable[[], bool],
    **how: Any,
) -> Made:
    """`function(*args, progress=…, cancelled=…, **how)`, run in the workshop; one at a time.

    function stands in a module; it is asked to stop through its `cancelled`, and has
    limits.WORKSHOP_GRACE seconds to do so. Raises what it raises, Ended where it had to be ended,
    and Broken where the process ended by itself.
    """
    with _turn:
        try:
            for _ in range(2):  # another time where it has just gone to its rest
                shop = _begin(function, args, how)
                if (said := _hear(shop, progress, cancelled)) is not None:
                    break
                close()
            else:
                raise Broken
            kind, answer, stays = said
            if not stays:
                close()
        except BaseException:
            close()  # or its answer would be taken for the next one's
            raise
    if kind == "raised":
        raise answer
    made: Made = answer
    return made


def _hear(
    shop: Workshop, progress: Callable[[float], None], cancelled: Callable[[], bool]
) -> tuple[str, Any, bool] | None:
    """What came of it, ("done", made) or ("raised", error), and whether the process stays.

    None where it has gone without having begun.
    """
    begun = False
    told = 0.0  # when it was told to stop
    while True:
        try:
            said = shop.heard.get(timeout=_LOOK)
        except queue.Empty:
            pass
        else:
            if said is None:
                if begun:
                    raise Broken
                return None
            begun = True
            if said[0] != "share":
                return said[0], said[1], said[2]
            progress(said[1])
        now = time.monotonic()
        if not told and cancelled():
            told = now
            with suppress(OSError):
                shop.say("stop")
        if told and now - told > limits.WORKSHOP_GRACE:
            raise Ended


def _begin(function: Callable[..., Any], args: tuple[Any, ...], how: dict[str, Any]) -> Workshop:
    """A workshop that has been given the work; another one where the last has ended."""
    global _now
    if _now is not None:
        with suppress(OSError):
            _now.say("work", function, args, how)
            return _now
        close()
    _now = Workshop()
    _now.say("work", function, args, how)
    return _now


@atexit.register
def close() -> None:
    """End the workshop, if there is one."""
    global _now
    if _now is not None:
        _now.end()
        _now = None


# Inside -------------------------------------------------------------------------------------------


def _serve(pipe: IO[bytes], answers: IO[bytes]) -> None:
    """Do what is asked for, until nobody asks any more."""
    asked: queue.SimpleQueue[tuple[Any, ...]] = queue.SimpleQueue()
    stop = threading.Event()

    def listen() -> None:
        while (message := _receive(pipe)) is not None:
            if message[0] == "stop":
                stop.set()
            else:
                asked.put(message)
        os._exit(0)  # nobody is there to be answered

    def tell(share: float) -> None:
        _send(answers, ("share", share))

    threading.Thread(target=listen, name="listening", daemon=True).start()
    stays = True
    while stays:
        try:
            _, function, args, how = asked.get(timeout=limits.WORKSHOP_REST)
        except queue.Empty:
            return
        stop.clear()
        tell(0.0)
        kind, answer = _do(function, args, {**how, "progress": tell, "cancelled": stop.is_set})
        stays = kernels_left() > 0 and _memory() < limits.WORKSHOP_BYTES
        _send(answers, (kind, answer, stays))


def _do(
    function: Callable[..., Any], args: tuple[Any, ...], how: dict[str, Any]
) -> tuple[str, Any]:
    """What comes of it: ("done", what was made) or ("raised", the error)."""
    try:
        return "done", function(*args, **how)
    except MemoryError:
        return "raised", ValueError("This takes more memory than there is.")
    except Exception as error:  # raised again where the work was asked for
        return "raised", _plain(error)


def _plain(error: Exception) -> Exception:
    """The error as it can travel."""
    try:
        pickle.loads(pickle.dumps(error))
    except Exception:  # one that is made otherwise than of what it says
        return ValueError(str(error)) if isinstance(error, ValueError) else RuntimeError(str(error))
    return error


def _memory() -> int:
    """Bytes in use; 0 where the system does not say."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
    except OSError:
        return 0
    return pages * os.sysconf("SC_PAGE_SIZE")


def _lower() -> None:
    """A low rank among the machine's processes, and a limit on memory.

    None on memory where a GPU may be used, whose driver maps more than it takes.
    """
    if hasattr(os, "nice"):
        os.nice(limits.WORKSHOP_NICE)
    if find_spec("cupy") is not None:
        return
    with suppress(ImportError, ValueError, OSError):
        import resource

        resource.setrlimit(resource.RLIMIT_DATA, (limits.WORKSHOP_MOST, limits.WORKSHOP_MOST))


if __name__ == "__main__":
    _lower()
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a library prints is no answer
    _serve(sys.stdin.buffer, answers)
    os._exit(0)  # a thread of it still listens
