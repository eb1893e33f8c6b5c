"""The secret from which every code, UID and shift of dates follows; without it none of them leads back.

One key gives one answer: files that come later, or a second run, fit to those that were written before.
"""

from __future__ import annotations

import hmac
import re
import secrets
import uuid
from dataclasses import dataclass
from pathlib import Path

from lesion_measure.errors import ConfigError
from lesion_measure.files.reading import read_regular
from lesion_measure.files.writing import write_bytes

_TITLE = "lesion-measure key for de-identification, keep it secret"
_FORM = re.compile(rf"{re.escape(_TITLE)}\n([0-9a-f]{{64}})\n?")
_LEAST_SHIFT_DAYS, _SHIFTS = 30, 3650


@dataclass(frozen=True, slots=True)
class Key:
    """``secret`` is 32 bytes. What is derived from it is as hard to undo as HMAC-SHA-256."""

    secret: bytes

    def uid(self, stated: str) -> str:
        """The UID that stands for another one: of the UUID form (PS3.5 B.2)."""
        return f"2.25.{uuid.UUID(bytes=self._digest('uid', stated)[:16], version=4).int}"

    def code(self, kind: str, text: str, digits: int = 8) -> str:
        """A code for a text, one for each ``kind`` of text: capitals and digits."""
        return self._digest(kind, text).hex()[:digits].upper()

    def shift_days(self, subject: str) -> int:
        """By how many days a subject's dates move: the same for all of them, into the past, a month to ten years."""
        return -(_LEAST_SHIFT_DAYS + int.from_bytes(self._digest("days", subject)[:8]) % _SHIFTS)

    def _digest(self, kind: str, text: str) -> bytes:
        return hmac.digest(self.secret, f"{kind}\0{text}".encode(errors="surrogatepass"), "sha256")


def open_key(path: Path) -> Key:
    """The key in a file, which is made, for its owner alone to read, where it is not there.

    Raises
    ------
    ConfigError
        The file is there and holds no key.
    WriteError
        It cannot be made.
    """
    if not path.exists():
        key = Key(secrets.token_bytes(32))
        write_bytes(path, f"{_TITLE}\n{key.secret.hex()}\n".encode(), "key", private=True)
        return key
    try:
        found = _FORM.fullmatch(read_regular(path, 1024).decode("ascii", "replace"))
    except OSError as error:
        raise ConfigError(f"The key cannot be read ({error.strerror}).", code="key", path=str(path)) from error
    if found is None:
        raise ConfigError(
            "This file holds no key for de-identification.",
            remedy="Name the key of an earlier run, or a file that is not there yet.",
            code="key",
            path=str(path),
        )
    return Key(bytes.fromhex(found[1]))
