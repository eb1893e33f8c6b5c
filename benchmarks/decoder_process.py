"""What it costs to decode in a process of its own: ``python benchmarks/decoder_process.py``.

Processor milliseconds a frame of 768 x 1024 (both processes together), in this process and in another, in turn, medians
of ``--rounds`` (5) of ``--frames`` (40); then the start of a decoder, and the memory of one that waits. RLE and
uncompressed frames never leave this process.
"""

from __future__ import annotations

import argparse
import os
import resource
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

import jpeg_ls
import numpy as np
import simplejpeg
from openjpeg.utils import encode_array

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

from dicom_writing import screen
from lesion_measure.config import Limits
from lesion_measure.dicom import decoder, native

ROWS, COLUMNS = 768, 1024


def processor_ms(pid: int) -> float:
    """Processor time of this process and of another."""
    own = time.process_time()
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return 1000 * (own + (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK"))


def cost(action: Callable[[], object], frames: int, pid: int) -> float:
    """Processor milliseconds of one call."""
    begin = processor_ms(pid)
    for _ in range(frames):
        action()
    return (processor_ms(pid) - begin) / frames


def main() -> None:
    """Measure, and print one line an encoding."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--frames", type=int, default=40)
    options.add_argument("--rounds", type=int, default=5)
    chosen = options.parse_args()
    colour = screen(ROWS, COLUMNS)
    gray = np.ascontiguousarray(colour[..., 0])
    streams = {
        "gray": simplejpeg.encode_jpeg(gray[..., None], 90, "GRAY"), "rgb": simplejpeg.encode_jpeg(colour, 90),
        "jpeg-ls": bytes(jpeg_ls.encode_array(gray)),
        "jpeg-2000": bytes(encode_array(gray, photometric_interpretation=2)),
    }  # fmt: skip
    limits = Limits()
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    before = children.ru_utime + children.ru_stime + time.process_time()
    first = decoder.Decoder(limits.decoder_bytes)
    first.decode("gray", streams["gray"], gray.nbytes, 30)
    first.end()
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    started = children.ru_utime + children.ru_stime + time.process_time() - before
    kept = decoder.Decoder(limits.decoder_bytes)
    for way, data in streams.items():
        room = colour.nbytes if way == "rgb" else gray.nbytes
        actions = (lambda: native.decode(way, data), lambda: kept.decode(way, data, room, 30))  # noqa: B023
        taken = [[cost(each, chosen.frames, kept.pid) for each in actions] for _ in range(chosen.rounds)]
        here, there = (statistics.median(some) for some in zip(*taken, strict=True))
        print(f"{way}: {here:.2f} ms here, {there:.2f} ms in a process of its own")
    memory = int(Path(f"/proc/{kept.pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGESIZE") / 1e6
    print(f"start, first frame and end of a decoder: {1000 * started:.0f} ms; it waits with {memory:.0f} MB")
    kept.end()


if __name__ == "__main__":
    main()
