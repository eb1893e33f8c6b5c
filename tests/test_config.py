"""Settings: defaults, files, what is refused, and that every one of them is documented."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

from lesion_measure.config import Config
from lesion_measure.errors import ConfigError


@pytest.fixture(scope="module")
def maker(project_dir: Path) -> ModuleType:
    """docs/make_settings.py as a module."""
    spec = importlib.util.spec_from_file_location("make_settings", project_dir / "docs" / "make_settings.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_documented_settings_are_those_of_the_code(maker: ModuleType, project_dir: Path) -> None:
    assert (project_dir / "docs" / "settings.md").read_text(encoding="utf-8") == maker.page()
    assert (project_dir / "configs" / "default.yaml").read_text(encoding="utf-8") == maker.yaml_text()
    assert (project_dir / "docs" / "training_settings.md").read_text(encoding="utf-8") == maker.training_page()


def test_every_setting_has_a_meaning(maker: ModuleType) -> None:
    for name, kind, values in maker.sections():
        for key, _, info in maker.settings(kind, values):
            assert info.description, f"{name}.{key} is not documented"
    for kind in maker.training_sections():
        for key, _, info in maker.training_settings(kind):
            assert info.description, f"{kind.__name__}.{key} is not documented"


def test_the_default_file_is_the_default(project_dir: Path) -> None:
    assert Config.from_yaml(project_dir / "configs" / "default.yaml") == Config()


def test_what_a_file_leaves_out_keeps_its_default_and_the_hash_follows_the_content(tmp_path: Path) -> None:
    path = tmp_path / "c.yaml"
    path.write_text("visits:\n  one_month_days: 28\n")
    config = Config.from_yaml(path)
    assert (config.visits.one_month_days, config.visits.one_month_window_days) == (28, (14, 45))
    assert config.sha256() != Config().sha256()
    path.write_text("{}")
    assert Config.from_yaml(path).sha256() == Config().sha256()


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("visit: {}", "'visit'"),
        ("visits:\n  window: 3", "'visits.window'"),
        ("visits:\n  one_month_window_days: [45, 14]", "first day"),
        ("visits:\n  one_month_days: 60", "outside one_month_window_days"),
        ("comparison:\n  rule: best", "'best' is not one of"),
        ("segment:\n  threshold: 1.5", "'segment.threshold'"),
        ("calibration:\n  max_depth_mm: .nan", "'calibration.max_depth_mm'"),
        ("[1, 2]", "mapping"),
        ("a: [", "not valid YAML"),
        ("a: !!python/object/apply:os.system ['true']", "not valid YAML"),
    ],
)
def test_what_cannot_be_meant_is_refused_and_named(tmp_path: Path, text: str, complaint: str) -> None:
    path = tmp_path / "c.yaml"
    path.write_text(text)
    with pytest.raises(ConfigError, match=complaint):
        Config.from_yaml(path)


def test_a_missing_file_is_an_error_of_ours(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        Config.from_yaml(tmp_path / "none.yaml")
