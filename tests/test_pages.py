"""Templates are compiled once and kept beside them; where nothing can be kept, pages are made all the same."""

from __future__ import annotations

from pathlib import Path

import jinja2
import pytest

from lesion_measure.report import pages


def environment(folder: Path, kept: Path) -> jinja2.Environment:
    (folder / "page.j2").write_text("{{ 1 + 1 }} and {{ word }}", encoding="utf-8")
    return jinja2.Environment(loader=jinja2.FileSystemLoader(folder), bytecode_cache=pages._Compiled(str(kept)))


def test_a_template_is_compiled_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = tmp_path / "__pycache__"
    assert environment(tmp_path, kept).get_template("page.j2").render(word="more") == "2 and more"
    monkeypatch.setattr(jinja2.Environment, "_generate", lambda *_: pytest.fail("it was compiled again"))
    assert environment(tmp_path, kept).get_template("page.j2").render(word="more") == "2 and more"


def test_a_changed_template_is_compiled_anew(tmp_path: Path) -> None:
    kept = tmp_path / "__pycache__"
    environment(tmp_path, kept).get_template("page.j2")
    changed = environment(tmp_path, kept)
    (tmp_path / "page.j2").write_text("3", encoding="utf-8")
    assert changed.get_template("page.j2").render() == "3"


def test_without_a_folder_to_keep_it_in_a_page_is_made(tmp_path: Path) -> None:
    kept = tmp_path / "no" / "such" / "folder"
    assert environment(tmp_path, kept).get_template("page.j2").render(word="more") == "2 and more"
    assert not kept.exists()
