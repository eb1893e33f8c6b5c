"""What every HTML page of this package has in common: templates with autoescape, and styles in the page itself."""

from __future__ import annotations

import sys
from contextlib import suppress
from importlib.resources import files
from pathlib import Path

import jinja2
from jinja2.bccache import Bucket
from markupsafe import Markup


class _Compiled(jinja2.FileSystemBytecodeCache):
    """Templates compiled once, as Python compiles modules: kept in ``__pycache__`` beside them, where that can be."""

    def dump_bytecode(self, bucket: Bucket) -> None:
        with suppress(OSError):
            Path(self.directory).mkdir(exist_ok=True)
            super().dump_bytecode(bucket)


def page_environment(package: str, *styles: tuple[str, str]) -> jinja2.Environment:
    """The templates of ``package``; its pages get the report's styles and then ``styles``, (package, file) each.

    An undefined name in a template is an error.
    """
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader(package, "templates"),
        bytecode_cache=None
        if sys.dont_write_bytecode
        else _Compiled(str(files(package) / "templates" / "__pycache__")),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    texts = [
        files(where).joinpath("templates", name).read_text(encoding="utf-8")
        for where, name in (("lesion_measure.report", "style.css"), *styles)
    ]
    environment.globals["styles"] = Markup("\n".join(texts))  # noqa: S704  shipped with the package
    return environment
