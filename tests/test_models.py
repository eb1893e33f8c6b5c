"""Where bundles are found, and what is said of one that is not there."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from lesion_measure.cli import app
from lesion_measure.errors import ModelError
from lesion_measure.files.shipped import SHIPPED, find_model


def bundle(folder: Path) -> Path:
    (folder / "configs").mkdir(parents=True)
    (folder / "configs" / "metadata.json").write_text("{}")
    return folder


def test_a_folder_or_the_name_of_a_shipped_one(tmp_path: Path) -> None:
    mine = bundle(tmp_path / "mine")
    assert find_model(mine) == mine
    assert find_model(Path(SHIPPED)) == find_model(None)
    assert find_model(None).name == SHIPPED


def test_a_missing_bundle_is_not_the_shipped_one_of_its_name(tmp_path: Path) -> None:
    """A path with a slip in its folder measured with other weights than those that were asked for."""
    with pytest.raises(ModelError, match="There is no model bundle"):
        find_model(tmp_path / "retraned" / SHIPPED)


def test_the_nearest_bundle_of_the_same_folder_is_named(tmp_path: Path) -> None:
    bundle(tmp_path / "first_run")
    (tmp_path / "first_rum").mkdir()  # nearer, and no bundle
    with pytest.raises(ModelError) as caught:
        find_model(tmp_path / "first_ruun")
    assert str(caught.value) == (
        f"There is no model bundle '{tmp_path / 'first_ruun'}'; did you mean '{tmp_path / 'first_run'}'? "
        "Give the path of a bundle's folder."
    )


def test_else_the_shipped_one(tmp_path: Path) -> None:
    for wanted in (Path("liver_us_umet"), tmp_path / "liver_us_umet", tmp_path / "none" / "liver_us_umet"):
        with pytest.raises(ModelError, match=f"'{wanted}'; did you mean '{SHIPPED}'\\?"):
            find_model(wanted)
    with pytest.raises(ModelError, match=r"'xyz'\. Give"):
        find_model(Path("xyz"))


@pytest.mark.parametrize("option", ["--model", "--against"])
def test_evaluate_does_not_speak_of_measuring_with_calipers(tmp_path: Path, option: str) -> None:
    done = CliRunner().invoke(app, ["evaluate", str(tmp_path), option, "liver_us_umet"])
    assert done.exit_code == 2
    assert "did you mean 'liver_us_unet'?" in done.stderr
    assert "--calipers" not in done.stderr
