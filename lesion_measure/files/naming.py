"""Names of files that are made from what people wrote: plain letters, none twice."""

from __future__ import annotations

import re
from collections.abc import Sequence

_NOT_PLAIN = re.compile(r"[^A-Za-z0-9-]+")
_LONGEST = 40


def plain_name(parts: Sequence[str], taken: set[str]) -> str:
    """The parts in plain letters, such as SUBJECT_VISIT_LESION, with a number where that is taken.

    ``taken`` are the names in use, in lower case; the new one is added.
    """
    plain = "_".join(_NOT_PLAIN.sub("-", part)[:_LONGEST].strip("-") or "x" for part in parts)
    name, number = plain, 1
    while name.casefold() in taken:
        number += 1
        name = f"{plain}_{number}"
    taken.add(name.casefold())
    return name
