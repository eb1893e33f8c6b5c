"""Native decoders in a process of their own: where one ends it, or does not end, that costs one image and not the run.

A process is started when the first compressed frame comes, and serves all that follow; threads that decode at once get
one each, as many as there are processors. They end with this process. Frames come back through shared memory.
"""

from __future__ import annotations

import contextlib
import json
import math
import mmap
import os
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from typing import IO, Any

import numpy as np

from lesion_measure.config import Limits
from lesion_measure.dicom.native import Samples
from lesion_measure.errors import PixelError

_END_S = 5.0
"""How long a process whose output ended may take to end itself."""
_REMEDY = "Export the image again, if possible uncompressed."
_CHILD = """
import json, os, sys
os.environ["OPENBLAS_NUM_THREADS"] = "1"
sys.path[:] = json.loads(sys.argv[1])
from lesion_measure.dicom.decoder_child import serve
serve(int(sys.argv[2]), int(sys.argv[3]))
"""


def decode(way: str, data: bytes, room: int, limits: Limits) -> Samples:
    """Samples of one codestream, decoded in another process.

    Parameters
    ----------
    way, data
        As `native.decode` takes them.
    room
        Bytes that the samples should have; more are refused.
    limits
        ``decoder_seconds`` and ``decoder_bytes`` bound the decoder.

    Raises
    ------
    ValueError
        The codestream is damaged, in the decoder's words.
    PixelError
        Code ``decoder_died``: the decoder ended its process; ``decoder_too_slow``: it took longer than it may;
        ``decoder_not_ready``: the system gives it no process, or no memory for the samples.
    """
    with _places, _borrowed(limits) as decoder:
        return decoder.decode(way, data, room, limits.decoder_seconds)


class Decoder:
    """One decoder's process."""

    def __init__(self, most_bytes: int) -> None:
        self.most_bytes = most_bytes
        with contextlib.ExitStack() as undo:
            self._start(undo)
            undo.pop_all()

    def _start(self, undo: contextlib.ExitStack) -> None:
        """Share memory with a new process; what ``undo`` holds lets go of it where that fails."""
        self._shared = os.memfd_create("frame") if hasattr(os, "memfd_create") else _unnamed_file()
        undo.callback(os.close, self._shared)
        os.ftruncate(self._shared, 1)
        self._memory = mmap.mmap(self._shared, 1)
        undo.callback(self._memory.close)
        given = json.dumps(sys.path), str(self._shared), str(self.most_bytes)
        words = (sys.executable, "-I", "-S", "-c", _CHILD, *given)
        self._process = subprocess.Popen(  # noqa: S603 - these words are ours
            words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, bufsize=0,
            pass_fds=(self._shared,),
        )  # fmt: skip
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._requests, self._answers = self._process.stdin, self._process.stdout
        os.set_blocking(self._requests.fileno(), False)  # a process that stands still would never take a large image

    @property
    def pid(self) -> int:
        """Number of the process."""
        return self._process.pid

    def decode(self, way: str, data: bytes, room: int, seconds: float) -> Samples:
        """As the function `decode`."""
        if room > len(self._memory):
            with _getting("memory for the samples"):
                os.ftruncate(self._shared, room)
                self._memory = mmap.mmap(self._shared, room)
        request = {"way": way, "bytes": len(data), "room": room, "shared": len(self._memory)}
        within = _Within(seconds)
        try:
            self._send(json.dumps(request).encode() + b"\n" + data, within)
            answer = self._answer(within)
        except TimeoutError as error:
            self.end()
            raise PixelError(
                f"Decoding a frame took longer than {seconds:g} s.",
                remedy="Raise limits.decoder_seconds if the file can be trusted.", code="decoder_too_slow",
            ) from error  # fmt: skip
        except OSError as error:
            raise self._died() from error
        if "no_memory" in answer:
            raise _not_ready("memory for the samples", answer["no_memory"])
        if "error" in answer:
            raise ValueError(answer["error"])
        dtype, shape = np.dtype(answer["dtype"]), tuple(answer["shape"])
        return np.frombuffer(self._memory, dtype, math.prod(shape)).reshape(shape).copy()

    def _send(self, data: bytes, within: _Within) -> None:
        left = memoryview(data)
        while left:
            within.wait(self._requests, select.POLLOUT)
            left = left[self._requests.write(left) or 0 :]

    def _answer(self, within: _Within) -> dict[str, Any]:
        line = b""
        while not line.endswith(b"\n"):
            within.wait(self._answers, select.POLLIN)
            part = self._answers.read(1 << 16)
            if not part:
                raise self._died()
            line += part
        found: dict[str, Any] = json.loads(line)
        return found

    def _died(self) -> PixelError:
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(_END_S)
        self.end()
        code = self._process.returncode
        how = signal.Signals(-code).name if code < 0 else f"exit code {code}"
        return PixelError(f"The decoder ended itself on this image ({how}).", remedy=_REMEDY, code="decoder_died")

    def end(self) -> None:
        """Kill the process, and let go of what it shared."""
        self._process.kill()
        self._process.wait()
        self.let_go()

    def let_go(self) -> None:
        """Close what leads to the process, which then ends by itself."""
        if self._requests.closed:  # it was let go of, and the number of its memory may be another file's by now
            return
        self._requests.close()
        self._answers.close()
        os.close(self._shared)


@contextlib.contextmanager
def _getting(what: str) -> Iterator[None]:
    """What the system refuses inside is told as an error of the image that needs it."""
    try:
        yield
    except OSError as error:
        raise _not_ready(what, error.strerror or str(error)) from error


def _not_ready(what: str, why: str) -> PixelError:
    return PixelError(
        f"The system gives the decoder no {what} ({why}).",
        remedy="Give the run more memory, files and processes, or use fewer --jobs.",
        code="decoder_not_ready",
    )


class _Within:
    """A time within which all of something has to happen."""

    def __init__(self, seconds: float) -> None:
        self._until = time.monotonic() + seconds

    def wait(self, pipe: IO[bytes], event: int) -> None:
        """Wait for a pipe; raises TimeoutError when the time is over."""
        poll = select.poll()
        poll.register(pipe, event)
        left = self._until - time.monotonic()
        if left <= 0 or not poll.poll(1000 * left):
            raise TimeoutError


def _unnamed_file() -> int:
    import tempfile

    with tempfile.TemporaryFile() as file:
        return os.dup(file.fileno())


_idle: list[Decoder] = []
_lock = threading.Lock()
_MOST = max(os.cpu_count() or 1, 2)
"""More decoders than processors would only take memory: a server may ask from forty threads."""
_places = threading.BoundedSemaphore(_MOST)


@contextlib.contextmanager
def _borrowed(limits: Limits) -> Iterator[Decoder]:
    """A decoder that nobody else uses now: one that is there, or a new one."""
    with _lock:
        fitting = [one for one in _idle if one.most_bytes == limits.decoder_bytes]
        decoder = fitting[0] if fitting else None
        if decoder is not None:
            _idle.remove(decoder)
    if decoder is None:
        with _getting("process"):
            decoder = Decoder(limits.decoder_bytes)
    try:
        yield decoder
    except ValueError:  # the image's fault: the process is as good as before
        _give_back(decoder)
        raise
    except BaseException:  # it died, or was left in the middle of an answer
        decoder.end()
        raise
    _give_back(decoder)


def _give_back(decoder: Decoder) -> None:
    with _lock:
        _idle.append(decoder)


def _forget_in_child() -> None:
    """A forked process has decoders of its own, and does not keep its parent's alive."""
    global _lock, _places
    _lock, _places = threading.Lock(), threading.BoundedSemaphore(_MOST)
    for decoder in _idle:
        decoder.let_go()
    _idle.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_in_child)
