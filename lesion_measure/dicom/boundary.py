"""The edge between bytes that nobody wrote on purpose and the rest of the program."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from lesion_measure.dicom.codestream import damaged
from lesion_measure.errors import InputError, PixelError


@contextmanager
def as_pixel_errors(path: str) -> Iterator[None]:
    """Whatever a decoder raises costs this file alone: it becomes a PixelError that names ``path``.

    The one place of the project that catches every exception: native decoders and pydicom meet bytes that nobody
    wrote on purpose, and no list of what they may raise was ever whole. An interrupt is no `Exception` and passes.
    """
    try:
        yield
    except InputError as error:
        raise _unreadable(error, path) from error
    except Exception as error:
        raise _unreadable(damaged(f"decoding failed with {type(error).__name__}"), path) from error


def _unreadable(error: InputError, path: str) -> PixelError:
    """Whatever is wrong below (archive, header, pixels), to the caller these pixels cannot be had."""
    remedy = error.remedy or "Transfer the file again."
    return PixelError(error.reason, remedy=remedy, code=error.code, path=error.path or path)
