"""The documentation: examples that run, links that lead somewhere, settings and commands that exist."""

from __future__ import annotations

import ast
import csv
import doctest
import importlib
import importlib.util
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from commands import commands


def test_the_python_examples_run(project_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(project_dir)
    result = doctest.testfile(str(project_dir / "docs" / "python.md"), module_relative=False)
    assert result.attempted > 20
    assert result.failed == 0


def test_links_between_the_pages_lead_somewhere(project_dir: Path) -> None:
    for page in [project_dir / "README.md", *project_dir.glob("docs/**/*.md"), *project_dir.glob("benchmarks/*.md")]:
        for target in re.findall(r"\]\(([^)#]+)\)", page.read_text(encoding="utf-8")):
            if "://" not in target:
                assert (page.parent / target).exists(), f"{page.name}: {target}"


def test_the_list_of_benchmarks_names_each_script(project_dir: Path) -> None:
    listed = (project_dir / "benchmarks" / "README.md").read_text(encoding="utf-8")
    scripts = {path.name for path in project_dir.glob("benchmarks/*.py")}
    assert {name for name in scripts if f"`{name}`" not in listed} == set()


def test_calibration_page_names_every_code(project_dir: Path) -> None:
    from lesion_measure.calibration import scale

    page = (project_dir / "docs" / "calibration.md").read_text(encoding="utf-8")
    documented = set(re.findall(r"^\| `(\w+)` \|", page, re.MULTILINE))
    assert documented == set(scale._REMEDIES) - {"no_points"}


def pages(project_dir: Path) -> list[Path]:
    return [project_dir / "README.md", *sorted(project_dir.glob("docs/*.md")), *project_dir.glob("models/*/docs/*.md")]


def _is_there(dotted: str) -> bool:
    """Whether a dotted name is a module of ours, or a name in one."""
    try:
        if importlib.util.find_spec(dotted) is not None:
            return True
    except ModuleNotFoundError:  # a part of it is a name in a module
        pass
    home, _, name = dotted.rpartition(".")
    return importlib.util.find_spec(home) is not None and hasattr(importlib.import_module(home), name)


def test_every_module_that_is_named_is_there(project_dir: Path) -> None:
    named = 0
    for page in [*pages(project_dir), *project_dir.glob("docs/decisions/*.md"), *project_dir.glob("configs/*")]:
        if "models" in page.parts:
            continue  # a card tells what made its bundle, by the names of that day
        text = page.read_text(encoding="utf-8")
        for name in re.findall(r"\b[\w/]+\.py\b", text):
            named += 1
            assert any((project_dir / room / name).is_file() for room in ("", "lesion_measure")), (page.name, name)
        for name in re.findall(r"\blesion_measure(?:\.\w+)+", re.sub(r"[\w/]+\.(?:py|json)\b", "", text)):
            named += 1
            assert _is_there(name), (page.name, name)
    assert named > 60


@cache
def _modules(house: Path) -> dict[str, ast.Module]:
    """Every module by its dotted name below ``lesion_measure``; a package is its ``__init__``."""
    paths = {path: ".".join(path.relative_to(house).with_suffix("").parts) for path in sorted(house.rglob("*.py"))}
    return {
        name.removesuffix("__init__").rstrip("."): ast.parse(path.read_text("utf-8")) for path, name in paths.items()
    }


@cache
def _words(tree: ast.Module) -> set[str]:
    """The identifiers of a module: what it defines, imports and uses."""
    found: set[str] = set()
    for node in ast.walk(tree):
        match node:
            case ast.Name(id=word) | ast.arg(arg=word) | ast.Attribute(attr=word) | ast.keyword(arg=str(word)):
                found.add(word)
            case ast.FunctionDef(name=word) | ast.ClassDef(name=word):
                found.add(word)
            case ast.alias(name=word):
                found.update(word.split("."))
            case ast.ImportFrom(module=str(word)):
                found.update(word.split("."))
    return found


def _docstrings(tree: ast.Module) -> Iterator[str]:
    """Docstrings, and those below a constant or a field, too."""
    for node in ast.walk(tree):
        match node:
            case ast.Expr(value=ast.Constant(value=str(text))):
                yield text


def _resolves(name: str, modules: dict[str, ast.Module]) -> bool:
    """Whether a dotted name is the end of a module's name, with or without names that this module knows behind it."""
    parts = name.removeprefix("lesion_measure.").split(".")
    for cut in range(len(parts), 0, -1):
        home = ".".join(parts[:cut])
        for module, tree in modules.items():
            if f".{module}".endswith(f".{home}") and set(parts[cut:]) <= _words(tree):
                return True
    return False


def test_modules_that_docstrings_name_are_there(project_dir: Path) -> None:
    """A name in single backticks is code: here dotted names of any docstring, and each name of a module's own one."""
    modules = _modules(project_dir / "lesion_measure")
    packages = {module.rpartition(".")[0] for module in modules}
    lost, named = [], 0
    for module, tree in modules.items():
        room = module if module in packages else module.rpartition(".")[0]
        for text in _docstrings(tree):
            for name in re.findall(r"(?<!`)`([a-z]\w*(?:\.\w+)+)`(?!`)", text):
                named += 1
                if not _resolves(name, modules) and name.partition(".")[0] not in _words(tree):
                    lost.append(f"{module}: {name}")
        for name in re.findall(r"(?<!`)`(\w+)`(?!`)", ast.get_docstring(tree) or ""):
            named += 1
            if name not in _words(tree) and name not in modules and f"{room}.{name}" not in modules:
                lost.append(f"{module}: {name}")
    assert not lost
    assert named > 150


def test_the_layout_tells_every_room(project_dir: Path) -> None:
    page = (project_dir / "docs/decisions/0001-layout.md").read_text(encoding="utf-8")
    told = re.findall(r"^\| `([\w/.]+)` \| ", page.partition("## Where")[0], re.MULTILINE)
    house = project_dir / "lesion_measure"
    rooms = [f"{found.parent.name}/" for found in house.glob("*/__init__.py")]
    rooms += [found.name for found in house.glob("*.py") if found.name != "__init__.py"]
    assert sorted(told) == sorted(rooms)


def blocks(project_dir: Path, kind: str) -> Iterator[tuple[str, str]]:
    """The page and text of every example in a language."""
    for page in pages(project_dir):
        for text in re.findall(rf"^```{kind}\n(.*?)^```", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL):
            yield page.name, text


def test_every_file_of_an_example_row_is_among_the_samples(project_dir: Path) -> None:
    samples = project_dir / "sample_dicoms"
    named = 0
    for page, text in blocks(project_dir, "csv"):
        for row in csv.DictReader(text.splitlines()):
            for column in ("image", "path"):
                if row.get(column):
                    named += 1
                    assert row[column] in {p.relative_to(samples).as_posix() for p in samples.rglob("*")}, (page, row)
    assert named >= 6


def test_every_command_of_an_example_is_there_with_its_options(project_dir: Path) -> None:
    known_commands = commands()
    groups = {name.partition(" ")[0] for name in known_commands if " " in name}
    seen = 0
    for page, text in blocks(project_dir, "sh"):
        for line in re.sub(r"\\\n\s*|\n\s+(?=\[)", " ", text).splitlines():
            found = re.search(r"(?:^|/)lesion-measure (\S+)(.*)", line.partition(" #")[0])
            if found is None:
                continue
            seen += 1
            name = " ".join(line[found.start(1) :].split()[:2]) if found.group(1) in groups else found.group(1)
            command = known_commands.get(name)
            assert command is not None or found.group(1).startswith("-"), (page, line)
            if command is None:
                continue
            known = {option for each in command.params for option in (*each.opts, *each.secondary_opts)} | {"--help"}
            used = set(re.findall(r"(?<![\w-])--?[a-z][a-z-]*", found.group(2)))
            assert used <= known, (page, line, used - known)
    assert seen > 20


def test_every_path_of_an_example_command_is_there(project_dir: Path) -> None:
    for page, text in blocks(project_dir, "sh"):
        for word in re.findall(r"(?:configs|models/liver_us_unet|sample_dicoms|benchmarks|docs)/[\w./-]*\w", text):
            places = (project_dir, project_dir / "models" / "liver_us_unet")  # where the bundle's commands are given
            assert any((place / word).exists() for place in places), (page, word)
