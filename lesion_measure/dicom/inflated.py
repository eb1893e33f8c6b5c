"""Deflated data sets (PS3.5 A.5), unpacked as they are read."""

from __future__ import annotations

import zlib
from typing import BinaryIO, cast

from lesion_measure.errors import InputError
from lesion_measure.files.spool import Spool

DEFLATED = ("1.2.840.10008.1.2.1.99", "1.2.840.10008.1.2.4.95", "1.2.840.10008.1.2.4.205")


def unreadable(what: str) -> InputError:
    """The error for a header that is damaged, by what is damaged."""
    return InputError(
        f"The DICOM header is damaged ({what}).", remedy="Export or copy the file anew.", code="unreadable"
    )


def inflated(stream: BinaryIO, inflated_bytes: int) -> BinaryIO:
    """The deflated data set, unpacked as far as it is asked for, and no further than it may be."""
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    left = inflated_bytes

    def pull(size: int) -> bytes:
        nonlocal left
        while not inflater.eof:
            data = inflater.unconsumed_tail or stream.read(4096)
            ended = not data
            try:
                data = inflater.decompress(data, size)
            except zlib.error as error:
                raise unreadable("deflated data set") from error
            left -= len(data)
            if left < 0:
                raise InputError(
                    f"The deflated data set unpacks to more than {inflated_bytes} bytes.",
                    remedy="Raise limits.header_bytes and limits.zip_member_bytes if the file can be trusted.",
                    code="header_too_large",
                )
            if data or ended:
                return data
        return b""

    return cast("BinaryIO", Spool(pull))
