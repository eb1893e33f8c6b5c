"""Names and passwords of those who may read: a file of one line a person, which holds hashes and no password.

A line is ``NAME:ROLE:scrypt$N$R$P$SALT$HASH``, salt and hash in base64.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from threading import Lock

from lesion_measure.errors import ConfigError
from lesion_measure.files.reading import read_regular
from lesion_measure.files.writing import write_bytes
from lesion_measure.review.messages import Role
from lesion_measure.review.sessions import Person
from lesion_measure.spelling import nfc

LEAST_LETTERS = 10
"""Of a password."""
_MOST_BYTES = 1 << 20
_COST = (1 << 15, 8, 1)
"""N, r and p of scrypt: some 32 MB and a tenth of a second for each try."""
_MOST_MEMORY = 1 << 26
_SALT, _HASH = 16, 32


@dataclass(frozen=True, slots=True)
class _Known:
    role: Role
    salt: bytes
    hash: bytes


class Users:
    """The people of a file.

    Parameters
    ----------
    path
        The file.

    Raises
    ------
    ConfigError
        It cannot be read, or a line is none that `add_user` writes; code ``users``.
    """

    def __init__(self, path: Path) -> None:
        self._known = _read(path)
        if not self._known:
            raise _refusal("The file of users names nobody.", path)
        self._nobody = _Known(Role.READER, bytes(_SALT), bytes(_HASH))
        self._one_at_a_time = Lock()  # each try takes memory

    def person(self, name: str, password: str) -> Person | None:
        """Whom a name and a password stand for; None where they do not fit. Names that are not known take as long."""
        name = nfc(name)
        known = self._known.get(name, self._nobody)
        with self._one_at_a_time:
            fits = hmac.compare_digest(_hash(password, known.salt), known.hash)
        return Person(name=name, role=known.role) if fits and name in self._known else None


def add_user(path: Path, name: str, role: Role, password: str) -> None:
    """Add a person to the file, or give one another role and password; the file is made where it is not there.

    Raises
    ------
    ConfigError
        The name holds what a line cannot, the password is too short, or the file is none of users.
    WriteError
        The file cannot be written.
    """
    if not name.strip() or name != name.strip() or len(name) > 64 or ":" in name or not name.isprintable():
        raise _refusal("A name is 1 to 64 printable characters without a colon, and no blanks around them.", path)
    if len(password) < LEAST_LETTERS:
        raise _refusal(f"The password is shorter than {LEAST_LETTERS} characters.", path)
    name, salt = nfc(name), os.urandom(_SALT)
    known = dict(_read(path)) if path.exists() else {}
    known[name] = _Known(role, salt, _hash(password, salt))
    lines = "".join(f"{each}:{_line(known[each])}\n" for each in sorted(known))
    write_bytes(path, lines.encode(), "file of users", private=True)


def _hash(password: str, salt: bytes) -> bytes:
    n, r, p = _COST
    return hashlib.scrypt(password.encode(), salt=salt, n=n, r=r, p=p, maxmem=_MOST_MEMORY, dklen=_HASH)


def _line(known: _Known) -> str:
    cost = "$".join(str(number) for number in _COST)
    salt, digest = (base64.b64encode(each).decode() for each in (known.salt, known.hash))
    return f"{known.role.value}:scrypt${cost}${salt}${digest}"


def _read(path: Path) -> Mapping[str, _Known]:
    try:
        text = read_regular(path, _MOST_BYTES).decode()
    except (OSError, UnicodeDecodeError) as error:
        raise _refusal("The file of users cannot be read.", path) from error
    known = {}
    for number, line in enumerate(text.splitlines(), start=1):
        if line.strip() and not line.startswith("#"):
            name, _, rest = nfc(line).partition(":")
            found = _parsed(rest)
            if found is None or not name or name in known:
                raise _refusal(f"Line {number} of the file of users is not understood, or names somebody again.", path)
            known[name] = found
    return known


def _parsed(rest: str) -> _Known | None:
    role, _, hashed = rest.partition(":")
    try:
        kind, *cost, salt, digest = hashed.split("$")
        numbers = tuple(int(number) for number in cost)
        known = _Known(Role(role), base64.b64decode(salt, validate=True), base64.b64decode(digest, validate=True))
    except (ValueError, binascii.Error):
        return None
    return known if kind == "scrypt" and numbers == _COST and len(known.hash) == _HASH else None


def _refusal(reason: str, path: Path) -> ConfigError:
    return ConfigError(reason, remedy="'lesion-measure review-user' makes it.", code="users", path=str(path))
