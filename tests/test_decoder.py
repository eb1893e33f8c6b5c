"""Decoders that end, hang or eat memory cost one image; they are stood in for by a process that does so when told."""

from __future__ import annotations

import errno
import os
import resource
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from dicom_writing import JPEG, write
from lesion_measure.config import Limits
from lesion_measure.dicom import decoder, decoder_child
from lesion_measure.dicom.frames import FrameReader
from lesion_measure.errors import PixelError
from pixel_files import GRAY, pil

OBEYS = """
import os, signal, sys, time, json
sys.path[:] = json.loads(sys.argv[1])
import numpy as np
from lesion_measure.dicom import decoder_child, native

def decode(way, data):
    if data == b"segfault":
        os.kill(os.getpid(), signal.SIGSEGV)
    elif data == b"abort":
        os.abort()
    elif data == b"exit":
        os._exit(3)
    elif data == b"hang":
        time.sleep(600)
    elif data == b"eat":
        bytearray(1 << 40)
    elif data == b"complain":
        raise RuntimeError("bad stream")
    elif data == b"full":
        def refused(*_):
            raise OSError(28, "No space left on device")
        os.posix_fallocate = refused
    elif data == b"much":
        return np.zeros(10_000, np.uint8)
    return np.arange(6, dtype=np.uint16).reshape(2, 3)

native.decode = decode
decoder_child.serve(int(sys.argv[2]), int(sys.argv[3]))
"""
# Another bound than that of any other test: decoders that wait are taken by it.
LIMITS = Limits(decoder_bytes=4_000_000_001, decoder_seconds=60)
IMPATIENT = Limits(decoder_bytes=4_000_000_001, decoder_seconds=0.2)


@pytest.fixture
def own_decoders(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """None of other tests is taken, and none is left."""
    idle: list[decoder.Decoder] = []
    monkeypatch.setattr(decoder, "_idle", idle)
    yield
    for one in idle:
        one.end()


@pytest.fixture
def obeying(own_decoders: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decoder, "_CHILD", OBEYS)


def decode(data: bytes, limits: Limits = LIMITS, room: int = 1000) -> object:
    return decoder.decode("gray", data, room, limits)


@pytest.mark.usefixtures("obeying")
class TestOneDecoder:
    def test_samples_and_complaints_come_back(self) -> None:
        assert np.array_equal(np.asarray(decode(b"fine")), np.arange(6).reshape(2, 3))
        with pytest.raises(ValueError, match="bad stream"):
            decode(b"complain")
        with pytest.raises(ValueError, match="not the stated one"):
            decode(b"much")

    @pytest.mark.parametrize(
        ("how", "said"), [(b"segfault", "SIGSEGV"), (b"abort", "SIGABRT"), (b"exit", "exit code 3")]
    )
    def test_one_that_ends(self, how: bytes, said: str) -> None:
        for _ in range(2):
            with pytest.raises(PixelError, match=said) as caught:
                decode(how)
            assert caught.value.code == "decoder_died"
            assert caught.value.remedy
            decode(b"fine")

    def test_one_that_hangs(self) -> None:
        decode(b"fine")
        (process,) = decoder._idle
        with pytest.raises(PixelError, match=r"longer than 0\.2 s") as caught:
            decode(b"hang", IMPATIENT)
        assert caught.value.code == "decoder_too_slow"
        with pytest.raises(ProcessLookupError):
            os.kill(process.pid, 0)
        decode(b"fine")

    @pytest.mark.parametrize(
        ("module", "call", "said"),
        [(os, "ftruncate", "no memory for the samples"), (subprocess, "Popen", "no process")],
    )
    def test_one_that_the_system_gives_nothing(
        self, monkeypatch: pytest.MonkeyPatch, module: object, call: str, said: str
    ) -> None:
        """A full disk or too many processes cost this image, and no file stays open."""
        if call == "ftruncate":
            decode(b"fine")
        there = len(list(Path("/proc/self/fd").iterdir()))

        def refused(*_: object, **__: object) -> None:
            raise OSError(errno.ENOSPC, "No space left on device")

        with monkeypatch.context() as patch:
            patch.setattr(module, call, refused)
            with pytest.raises(PixelError, match=f"{said} \\(No space left on device\\)") as caught:
                decode(b"fine", room=1_000_000)
        assert (caught.value.code, bool(caught.value.remedy)) == ("decoder_not_ready", True)
        assert len(list(Path("/proc/self/fd").iterdir())) <= there
        decode(b"fine")

    @pytest.mark.skipif(not hasattr(os, "posix_fallocate"), reason="memory cannot be reserved here")
    def test_memory_for_samples_is_reserved_before_they_are_written(self) -> None:
        """Where there is none left, that is told of the image: a write there would end the process by a signal."""
        decode(b"fine", room=10_000_000)
        (process,) = decoder._idle
        held = os.fstat(process._shared)
        assert held.st_size == 10_000_000
        assert 12 <= 512 * held.st_blocks < 1_000_000  # of the six samples alone, not of all that was asked for
        with pytest.raises(PixelError, match="no memory for the samples \\(No space left on device\\)") as caught:
            decode(b"full")
        assert caught.value.code == "decoder_not_ready"
        decode(b"fine")

    def test_one_that_takes_nothing(self) -> None:
        """More than a pipe holds, to a process that stands still."""
        decode(b"fine")
        (process,) = decoder._idle
        os.kill(process.pid, signal.SIGSTOP)
        with pytest.raises(PixelError, match=r"longer than 0\.2 s"):
            decode(bytes(1 << 20), IMPATIENT)
        decode(b"fine")

    def test_one_that_is_ended_twice_closes_nobody_elses_file(self) -> None:
        one = decoder.Decoder(LIMITS.decoder_bytes)
        number = one._shared
        one.end()
        other = os.open(os.devnull, os.O_RDONLY)
        if other != number:
            os.dup2(other, number)
            os.close(other)
        one.end()
        os.close(number)  # which it has not done

    def test_one_that_eats_memory(self) -> None:
        with pytest.raises(ValueError, match=r"limits\.decoder_bytes"):
            decode(b"eat")
        decode(b"fine")

    def test_one_process_serves_all_frames_and_threads_have_their_own(self) -> None:
        decode(b"fine")
        (first,) = decoder._idle
        decode(b"fine")
        assert decoder._idle == [first]
        busy, go_on = threading.Event(), threading.Event()

        def hold() -> None:
            with decoder._borrowed(LIMITS):
                busy.set()
                go_on.wait()

        thread = threading.Thread(target=hold)
        thread.start()
        busy.wait()
        decode(b"fine")
        go_on.set()
        thread.join()
        assert len({one.pid for one in decoder._idle}) == 2


def test_where_the_system_allows_less_memory_that_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a cluster (`ulimit -Hv`): setrlimit(2) lets nobody but root raise a hard limit."""
    for hard, most in [(3 << 30, 3 << 30), (resource.RLIM_INFINITY, 4 << 30), (5 << 30, 4 << 30)]:
        now = [hard]

        def set_limit(_: int, to: tuple[int, int], now: list[int] = now) -> None:
            if now[0] != resource.RLIM_INFINITY and to[1] > now[0]:
                raise ValueError("not allowed to raise maximum limit")
            now[0] = to[1]

        monkeypatch.setattr(decoder_child.resource, "getrlimit", lambda _, now=now: (now[0], now[0]))
        monkeypatch.setattr(decoder_child.resource, "setrlimit", set_limit)
        decoder_child.bound_memory(4 << 30)
        assert now == [most]


FAILS_ONCE = OBEYS.replace(
    "native.decode = decode",
    """
whole = native.decode

def once(way, data):
    if not os.path.exists({flag!r}):
        open({flag!r}, "w").close()
        os.kill(os.getpid(), signal.SIGSEGV)
    return whole(way, data)

native.decode = once
""",
)


@pytest.mark.usefixtures("own_decoders")
def test_the_image_is_refused_and_the_next_one_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decoder, "_CHILD", FAILS_ONCE.replace("{flag!r}", repr(str(tmp_path / "flag"))))
    images = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        images.append(write(tmp_path / name, [pil(GRAY, "L")], GRAY.shape, JPEG))
    with FrameReader(images[0], LIMITS) as reader, pytest.raises(PixelError, match="SIGSEGV") as caught:
        reader.luminance(1)
    assert (caught.value.code, caught.value.path) == ("decoder_died", "image.dcm")
    with FrameReader(images[1], LIMITS) as reader:
        assert np.abs(reader.luminance(1).astype(int) - GRAY).mean() < 10


def test_a_decoder_ends_with_its_parent_however_that_ends() -> None:
    code = """
import os, signal
from lesion_measure.config import Limits
from lesion_measure.dicom import decoder
one = decoder.Decoder(Limits().decoder_bytes)
print(one.pid, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    state = Path(f"/proc/{int(done.stdout)}/stat")
    while state.exists() and state.read_text().rpartition(")")[2].split()[0] != "Z":
        time.sleep(0.01)
