"""Templates as Python compiled them once, beside them in ``__pycache__``, where Python keeps its own modules.

To compile those of a short run's pages takes as long as to measure ten of its images. The files are trusted as Python's
are: whoever can write into the package's folder can change the program. Where nobody can, or
``PYTHONDONTWRITEBYTECODE`` says so, templates are compiled in each run.
"""

from __future__ import annotations

import hashlib
import marshal
import sys
from contextlib import suppress
from importlib.util import MAGIC_NUMBER, cache_from_source
from pathlib import Path
from types import CodeType

import jinja2
from jinja2.bccache import Bucket

from lesion_measure import __version__
from lesion_measure.errors import WriteError
from lesion_measure.files.writing import make_folder, write_bytes

_DIGEST = hashlib.sha256().digest_size
_PLAIN = (
    "block_start_string", "block_end_string", "variable_start_string", "variable_end_string", "comment_start_string",
    "comment_end_string", "line_statement_prefix", "line_comment_prefix", "trim_blocks", "lstrip_blocks",
    "newline_sequence", "keep_trailing_newline", "optimized", "is_async", "autoescape",
)  # fmt: skip
_NAMED = ("extensions", "filters", "tests")


class CompiledTemplates(jinja2.BytecodeCache):
    """Compiled templates of folders of this package; each is its source's digest and the code."""

    def get_cache_key(self, name: str, filename: str | None = None) -> str:
        """The template's file."""
        return filename or ""

    def get_source_checksum(self, source: str) -> str:
        """What the code is made from: the source with the options, this package, jinja2 and Python."""
        made = f"{__version__}\n{jinja2.__version__}\n{source}".encode()
        return hashlib.sha256(MAGIC_NUMBER + made).hexdigest()

    def get_bucket(self, environment: jinja2.Environment, name: str, filename: str | None, source: str) -> Bucket:
        """The code of a template, made from its source by the environment's options."""
        return super().get_bucket(environment, name, filename, f"{_options(environment)}\n{source}")

    def load_bytecode(self, bucket: Bucket) -> None:
        """Take the code where it was made from this very source."""
        place = _place(bucket)
        with suppress(OSError, ValueError, EOFError, TypeError):
            data = place.read_bytes() if place else b""
            if data[:_DIGEST].hex() == bucket.checksum:
                code = marshal.loads(data[_DIGEST:])  # noqa: S302 - as Python loads its own modules
                bucket.code = code if isinstance(code, CodeType) else None

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Keep the code for the next run, where the folder can be written to."""
        place = _place(bucket)
        if place is None or sys.dont_write_bytecode:
            return
        with suppress(WriteError):
            make_folder(place.parent)
            write_bytes(place, bytes.fromhex(bucket.checksum) + marshal.dumps(bucket.code), "template", shared=True)


def _options(environment: jinja2.Environment) -> str:
    """What of an environment its code depends on."""
    options = {name: getattr(environment, name) for name in _PLAIN}
    return repr(options | {name: sorted(getattr(environment, name)) for name in _NAMED})


def _place(bucket: Bucket) -> Path | None:
    """Where the code is kept; None for a template that lies in no folder that is known."""
    return Path(cache_from_source(bucket.key)) if Path(bucket.key).is_absolute() else None
