"""Write docs/settings.md, configs/default.yaml and docs/training_settings.md from the settings' own descriptions.

Run from the checkout: ``python docs/make_settings.py``. A test fails when one of the files differs from the code.
"""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from lesion_measure.config import Config, EmptyEvidence, PlannedVisit, Rule, Targets
from lesion_measure.lab.training import TrainSettings

PROJECT = Path(__file__).resolve().parent.parent


def sections() -> Iterator[tuple[str, type[BaseModel], BaseModel]]:
    """Dotted name, class and defaults of every section, outermost first."""

    def below(prefix: str, values: BaseModel) -> Iterator[tuple[str, type[BaseModel], BaseModel]]:
        for name in type(values).model_fields:
            value = getattr(values, name)
            if isinstance(value, BaseModel):
                yield f"{prefix}{name}", type(value), value
                yield from below(f"{prefix}{name}.", value)

    yield from below("", Config())


def plain(value: object) -> str:
    """A default as YAML (JSON is YAML); of a pair of name and arguments, the arguments that are given."""
    if isinstance(value, list) and len(value) == 2 and isinstance(value[1], dict):
        value = [value[0], {key: inner for key, inner in value[1].items() if inner is not None}]
    return json.dumps(value, ensure_ascii=False)


def settings(kind: type[BaseModel], values: BaseModel) -> Iterator[tuple[str, str, FieldInfo]]:
    """Name, default and field of every plain setting of a section."""
    dumped = values.model_dump(mode="json")
    for name, info in kind.model_fields.items():
        if not isinstance(getattr(values, name), BaseModel):
            yield name, plain(dumped[name]), info


def page() -> str:
    """The text of docs/settings.md."""
    lines = [
        "# Settings",
        "",
        "Every setting, its default and its meaning. Give a file with `--config`; what it leaves out keeps its",
        "default, and an unknown key is an error. `configs/default.yaml` spells all defaults out. A file that begins",
        "with `extends: other.yaml` changes that one, of its own folder or of those that `lesion-measure config`",
        "lists.",
        "Made by `docs/make_settings.py`.",
    ]
    for name, kind, values in sections():
        lines += [
            "",
            f"## {name}",
            "",
            " ".join((kind.__doc__ or "").split()),
            "",
            "| setting | default | meaning |",
            "|---|---|---|",
        ]
        for key, default, info in settings(kind, values):
            shown = "see `configs/default.yaml`" if key in ("rules", "schedule") else f"`{default}`"
            lines.append(f"| `{key}` | {shown} | {info.description} |")
    lines += [
        "",
        "## comparison.rules.NAME",
        "",
        (Rule.__doc__ or "").strip(),
        "",
        "| setting | meaning |",
        "|---|---|",
    ]
    lines += [f"| `{key}` | {info.description} |" for key, info in Rule.model_fields.items()]
    lines += [
        "",
        "## comparison.rules.NAME.targets",
        "",
        " ".join((Targets.__doc__ or "").split()),
        "",
        "| setting | default | meaning |",
        "|---|---|---|",
    ]
    lines += [f"| `{key}` | `{default}` | {info.description} |" for key, default, info in settings(Targets, Targets())]
    for name, kind in (("protocol.schedule", PlannedVisit), ("disappearance.evidence", EmptyEvidence)):
        lines += ["", f"## {name}", "", (kind.__doc__ or "").strip(), "", "| setting | meaning |", "|---|---|"]
        lines += [f"| `{key}` | {info.description} |" for key, info in kind.model_fields.items()]
    return "\n".join(lines) + "\n"


def yaml_text() -> str:
    """The text of configs/default.yaml."""
    lines = [
        "# Every setting with its default. Made by docs/make_settings.py; docs/settings.md has the same as a table."
    ]

    def write(values: BaseModel, indent: int) -> None:
        pad = "  " * indent
        for name, info in type(values).model_fields.items():
            value = getattr(values, name)
            if isinstance(value, BaseModel):
                lines.extend(["", f"{pad}{name}:"] if indent == 0 else [f"{pad}{name}:"])
                write(value, indent + 1)
                continue
            lines.extend(
                textwrap.wrap(info.description or "", 110, initial_indent=f"{pad}# ", subsequent_indent=f"{pad}# ")
            )
            if isinstance(value, dict):
                lines.append(f"{pad}{name}:")
                for key, rule in value.items():
                    lines.append(f"{pad}  {key}:")
                    lines.extend(f"{pad}    {k}: {plain(v)}" for k, v in rule.model_dump(mode="json").items())
            elif name == "schedule":
                lines.append(f"{pad}{name}:")
                lines.extend(f"{pad}  - {plain(point.model_dump(mode='json'))}" for point in value)
            else:
                lines.append(f"{pad}{name}: {plain(values.model_dump(mode='json')[name])}")

    write(Config(), 0)
    return "\n".join(lines) + "\n"


def training_sections() -> dict[type[BaseModel], list[str]]:
    """Every section of the training settings, outermost first, and the dotted names under which it stands."""
    places: dict[type[BaseModel], list[str]] = {TrainSettings: [""]}

    def below(prefix: str, kind: type[BaseModel]) -> None:
        for name, info in kind.model_fields.items():
            for inner in sections_of(info.annotation):
                places.setdefault(inner, []).append(f"{prefix}{name}")
                below(f"{prefix}{name}.", inner)

    below("", TrainSettings)
    return places


def sections_of(annotation: object) -> list[type[BaseModel]]:
    """The sections that a field holds, or may hold; the arguments of a name, in a pair with it, are none."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    parts = get_args(annotation)
    if get_origin(annotation) is tuple and parts[-1] is not ...:
        return []
    return [found for part in parts for found in sections_of(part)]


def training_settings(kind: type[BaseModel]) -> Iterator[tuple[str, str, FieldInfo]]:
    """Name, default and field of every setting of a section, of sections only those that may be left out."""
    dumped = kind().model_dump(mode="json", by_alias=True)
    for name, info in kind.model_fields.items():
        key = info.alias or name
        if not sections_of(info.annotation) or not dumped[key]:
            yield key, plain(dumped[key]), info


def training_page() -> str:
    """The text of docs/training_settings.md."""
    lines = [
        "# Settings of a training",
        "",
        "Every setting of `lesion-measure train --config`, its default and its meaning ([training.md](training.md)).",
        "What a file leaves out keeps its default, and an unknown key is an error. `configs/train.yaml` made the",
        "shipped bundle, `configs/smoke.yaml` is a quick test. A file may extend another one, and `--set` changes",
        "single settings ([training.md](training.md#settings)). Made by `docs/make_settings.py`.",
    ]
    for kind, places in training_sections().items():
        target = kind.model_fields.get("target")
        title = (", ".join(places) or "The whole") + (f": {target.default}" if target else "")
        lines += ["", f"## {title}", "", " ".join((kind.__doc__ or "").split()), ""]
        lines += ["| setting | default | meaning |", "|---|---|---|"]
        lines += [f"| `{key}` | `{default}` | {info.description} |" for key, default, info in training_settings(kind)]
    return "\n".join(lines) + "\n"


def main() -> None:
    """Write the files."""
    (PROJECT / "docs" / "training_settings.md").write_text(training_page(), encoding="utf-8")
    (PROJECT / "docs" / "settings.md").write_text(page(), encoding="utf-8")
    (PROJECT / "configs" / "default.yaml").write_text(yaml_text(), encoding="utf-8")


if __name__ == "__main__":
    main()
