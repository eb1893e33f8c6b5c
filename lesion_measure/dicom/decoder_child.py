"""What runs in a decoder's process: codestreams come on standard input, samples go into memory shared with the parent.

A request is one line of JSON (``way``, ``bytes``, ``room``, size of the ``shared`` memory) and the codestream. The
answer is one line: ``shape`` and ``dtype`` of what stands in the shared memory, or ``error``, or why there is
``no_memory``. The process ends with its
standard input, so with its parent however that ends. Nothing but `native` is imported, which keeps the start short.
"""

from __future__ import annotations

import json
import mmap
import os
import resource
import signal
import sys
from typing import Any, BinaryIO

import numpy as np

from lesion_measure.dicom import native


def serve(shared: int, most_bytes: int) -> None:
    """Answer requests until there are no more.

    Parameters
    ----------
    shared
        File descriptor of the memory for samples.
    most_bytes
        Most memory that this process may have.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to answer
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    bound_memory(most_bytes)
    requests, answers = sys.stdin.buffer, sys.stdout.buffer
    memory = mmap.mmap(shared, 1)
    while line := requests.readline():
        asked = json.loads(line)
        if asked["shared"] != len(memory):
            memory = mmap.mmap(shared, asked["shared"])
        answers.write(json.dumps(_answer(asked, requests, shared, memory)).encode() + b"\n")
        answers.flush()


def bound_memory(most_bytes: int) -> None:
    """Let this process have no more memory; a batch system may allow less, and then none may ask for more."""
    _, most_here = resource.getrlimit(resource.RLIMIT_AS)
    if most_here == resource.RLIM_INFINITY or most_here > most_bytes:
        resource.setrlimit(resource.RLIMIT_AS, (most_bytes, most_bytes))


def _answer(asked: dict[str, Any], requests: BinaryIO, shared: int, memory: mmap.mmap) -> dict[str, Any]:
    data = requests.read(asked["bytes"])
    try:
        samples = native.decode(asked["way"], data)
        if samples.nbytes > asked["room"]:
            return {"error": "the decoded size is not the stated one"}
        if (why := _reserved(shared, samples.nbytes)) is not None:
            return {"no_memory": why}
        np.frombuffer(memory, samples.dtype, samples.size).reshape(samples.shape)[...] = samples
    except MemoryError:
        return {"error": "decoding takes more memory than limits.decoder_bytes"}
    except Exception as error:  # noqa: BLE001 - what a native decoder may raise is no short list
        return {"error": str(error).strip().rstrip(".") or type(error).__name__}
    return {"shape": samples.shape, "dtype": samples.dtype.str}


def _reserved(shared: int, most: int) -> str | None:
    """Why the shared memory has no room for so many bytes; None where it has.

    It is as large as was asked for, but nothing stands behind it yet. A write where nothing is left would end the
    process by a signal.
    """
    try:
        if hasattr(os, "posix_fallocate"):
            os.posix_fallocate(shared, 0, most)
    except OSError as error:
        return error.strerror or str(error)
    return None
