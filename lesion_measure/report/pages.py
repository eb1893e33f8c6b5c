"""What every HTML page of this package has in common: templates with autoescape, and styles in the page itself."""

from __future__ import annotations

from importlib.resources import files

import jinja2
from markupsafe import Markup

from lesion_measure.report.compiled import CompiledTemplates


def page_environment(package: str, *styles: tuple[str, str]) -> jinja2.Environment:
    """The templates of ``package``, with the styles of their pages.

    These are the report's, then ``styles``, (package, file) each, then the colours of a dark screen. An
    undefined name in a template is an error.
    """
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader(package, "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        bytecode_cache=CompiledTemplates(),
    )
    texts = [
        files(where).joinpath("templates", name).read_text(encoding="utf-8")
        for where, name in (("lesion_measure.report", "style.css"), *styles, ("lesion_measure.report", "dark.css"))
    ]
    environment.globals["styles"] = Markup("\n".join(texts))  # noqa: S704  shipped with the package
    return environment
