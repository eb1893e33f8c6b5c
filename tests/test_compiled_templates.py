"""Templates are compiled once for all runs, and again where they or jinja2 have changed."""

from __future__ import annotations

import shutil
import sys
from importlib.util import cache_from_source
from pathlib import Path
from typing import Any

import jinja2
import pytest

from lesion_measure.report import compiled
from lesion_measure.report.compiled import CompiledTemplates


@pytest.fixture(autouse=True)
def _written(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "dont_write_bytecode", False)


def rendered(folder: Path, **options: Any) -> str:
    asked = {"autoescape": True, **options}
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(folder), bytecode_cache=CompiledTemplates(), **asked
    )
    return environment.get_template("page.html.j2").render(name="<b>")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "page.html.j2").write_text("Hello {{ name }}")
    return tmp_path


def kept(folder: Path) -> Path:
    return Path(cache_from_source(str(folder / "page.html.j2")))


def test_the_second_run_compiles_nothing(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert rendered(folder) == "Hello &lt;b&gt;"
    assert [path.name for path in kept(folder).parent.iterdir()] == [kept(folder).name]
    monkeypatch.setattr(jinja2.Environment, "compile", lambda *args, **more: pytest.fail("compiled"))
    assert rendered(folder) == "Hello &lt;b&gt;"


def test_a_changed_template_is_compiled_again(folder: Path) -> None:
    rendered(folder)
    (folder / "page.html.j2").write_text("Bye {{ name }}")
    assert rendered(folder) == "Bye &lt;b&gt;"
    assert rendered(folder) == "Bye &lt;b&gt;"


def test_with_other_options_it_is_compiled_again(folder: Path) -> None:
    page = "{% if name %}\n  {{ name }}\n{% endif %}"
    (folder / "page.html.j2").write_text(page)
    asked: tuple[dict[str, Any], ...] = (
        {}, {"autoescape": False}, {"trim_blocks": True}, {"lstrip_blocks": True}, {"variable_start_string": "{{{"},
    )  # fmt: skip
    for options in asked:
        alone = jinja2.Environment(**{"autoescape": True, **options}).from_string(page).render(name="<b>")
        assert rendered(folder, **options) == alone


def test_another_version_of_the_package_compiles_again(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rendered(folder)
    before = kept(folder).read_bytes()
    monkeypatch.setattr(compiled, "__version__", "0.0.0")
    rendered(folder)
    assert kept(folder).read_bytes() != before


@pytest.mark.parametrize("damage", [b"", b"\0" * 40, None])
def test_what_is_damaged_is_compiled_again(folder: Path, damage: bytes | None) -> None:
    rendered(folder)
    whole = kept(folder).read_bytes()
    kept(folder).write_bytes(whole[:60] if damage is None else damage)
    assert rendered(folder) == "Hello &lt;b&gt;"
    assert kept(folder).read_bytes() == whole


def test_where_nothing_can_be_written_it_is_compiled_each_time(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    assert rendered(folder) == "Hello &lt;b&gt;"
    assert not kept(folder).exists()
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    kept(folder).parent.write_text("a file where the folder would be")
    assert rendered(folder) == "Hello &lt;b&gt;"


def test_a_template_of_no_folder_is_not_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    environment = jinja2.Environment(
        loader=jinja2.DictLoader({"page": "{{ name }}"}), autoescape=True, bytecode_cache=CompiledTemplates()
    )
    assert environment.get_template("page").render(name="<") == "&lt;"
    assert not list(tmp_path.iterdir())


def test_the_same_source_elsewhere_has_its_own(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    rendered(folder)
    other = tmp_path_factory.mktemp("other")
    shutil.copy(folder / "page.html.j2", other)
    rendered(other)
    assert kept(other).exists()
