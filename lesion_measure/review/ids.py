"""What stands in URLs for a child, a visit or an image: nobody without the secret can tell which."""

from __future__ import annotations

import hashlib
import hmac

_DIGITS = 32


class Ids:
    """Opaque ids: HMAC-SHA256 of what they stand for, 32 hexadecimal digits.

    Parameters
    ----------
    secret
        The key, kept in the database, so that an address that a reader kept is good tomorrow.
    space
        Ids of one space say nothing about those of another: blinded reading has one of its own.
    """

    def __init__(self, secret: bytes, space: str) -> None:
        self._secret, self._space = secret, space

    def of(self, kind: str, *identity: str) -> str:
        """The id of one thing; ``kind`` tells images from visits and children."""
        text = "\0".join((self._space, kind, *identity))
        return hmac.new(self._secret, text.encode(), hashlib.sha256).hexdigest()[:_DIGITS]
