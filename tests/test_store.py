"""The results folder: what may be overwritten, and masks that survive an interruption."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest

import make
from cohort_results import write_sizes
from lesion_measure.cdisc import ExportRequest, export
from lesion_measure.cohort.command import CohortRequest, run_cohort
from lesion_measure.errors import OutputError
from lesion_measure.image import outlines
from lesion_measure.job import folder as results_folder
from lesion_measure.records import LesionMask


def _mask() -> LesionMask:
    probability = np.linspace(0, 1, 12, dtype=np.float32).reshape(3, 4)
    outline = make.box(2, 3, 2, 2)
    return LesionMask(probability=probability, origin=(7, 9), outline_px=outline, confidence=0.75, accepted=True)


def test_masks_come_back_as_they_were_also_from_frames_without_a_lesion(tmp_path: Path) -> None:
    results_folder.prepare(tmp_path / "out")
    outlines.save_masks(tmp_path / "out", "name", {3: [_mask(), _mask()], 5: []})
    loaded = outlines.load_masks(tmp_path / "out", "name")
    assert loaded is not None
    assert {frame: len(lesions) for frame, lesions in loaded.items()} == {3: 2, 5: 0}
    first, kept = _mask(), loaded[3][0]
    assert (kept.origin, kept.confidence, kept.accepted) == (first.origin, first.confidence, first.accepted)
    np.testing.assert_array_equal(kept.probability, first.probability)
    assert kept.probability.dtype == np.float32
    np.testing.assert_array_equal(kept.outline_px, first.outline_px)


def test_damaged_or_missing_masks_are_computed_again(tmp_path: Path) -> None:
    """Cut off, of another picture, without what stands beside it, and 1,000 flipped bits: none is believed."""
    results_folder.prepare(tmp_path)
    assert outlines.load_masks(tmp_path, "none") is None
    masks = {1: [_mask(), _mask()], 4: [_mask()]}
    outlines.save_masks(tmp_path, "name", masks)
    outlines.save_masks(tmp_path, "other", {1: [_mask()]})
    folder = tmp_path / outlines.SEGMENTATIONS
    rng = random.Random(11)
    for file in (folder / "name.npz", folder / "name.sum"):
        whole = file.read_bytes()
        bits = range(8 * len(whole)) if file.suffix == ".sum" else sorted(rng.sample(range(8 * len(whole)), 1000))
        for bit in bits:
            damaged = bytearray(whole)
            damaged[bit // 8] ^= 1 << bit % 8
            file.write_bytes(damaged)
            assert outlines.load_masks(tmp_path, "name") is None, (file.name, bit)
        for damaged in (b"", whole[:-1], whole + b"\n", (folder / f"other{file.suffix}").read_bytes()):
            file.write_bytes(damaged)
            assert outlines.load_masks(tmp_path, "name") is None
        file.unlink()
        assert outlines.load_masks(tmp_path, "name") is None
        file.write_bytes(whole)
    made = []

    def make() -> dict[int, list[LesionMask]]:
        made.append(masks)
        return masks

    (folder / "name.npz").write_bytes(b"PK\x03\x04")
    for _ in range(2):
        kept = outlines.Outlines(tmp_path).kept_or_made("name", make)
        assert {frame: len(lesions) for frame, lesions in kept.items()} == {1: 2, 4: 1}
    assert len(made) == 1


def test_names_follow_what_they_depend_on() -> None:
    assert outlines.kept_name(a=1, b=[2]) == outlines.kept_name(b=[2], a=1) != outlines.kept_name(a=1, b=[3])


def run_in(out: Path, *, overwrite: bool = False, name: str = outlines.kept_name(image=1)) -> outlines.Outlines:
    """A run that keeps one outline, and finishes."""
    with results_folder.opened(out, overwrite=overwrite) as kept:
        kept.kept_or_made(name, lambda: {1: [_mask()]})
        (out / results_folder.FINISHED).write_text("{}")
    return kept


def test_a_finished_run_is_kept_unless_told_otherwise_and_an_unfinished_one_goes_on(tmp_path: Path) -> None:
    first = run_in(tmp_path)
    assert (first.use.made, first.use.reused) == (1, 0)
    with pytest.raises(OutputError, match="finished run"):
        run_in(tmp_path)
    (tmp_path / results_folder.FINISHED).unlink()
    resumed = run_in(tmp_path)
    assert (resumed.use.made, resumed.use.reused) == (0, 1)


def test_overwriting_makes_no_outline_again_whose_inputs_are_the_same_and_keeps_no_others(tmp_path: Path) -> None:
    run_in(tmp_path)
    again = run_in(tmp_path, overwrite=True)
    assert (again.use.made, again.use.reused) == (0, 1)
    changed = run_in(tmp_path, overwrite=True, name=outlines.kept_name(image=2))
    assert (changed.use.made, changed.use.reused) == (1, 0)
    left = {file.name for file in (tmp_path / outlines.SEGMENTATIONS).iterdir()}
    assert left == {f"{outlines.kept_name(image=2)}.npz", f"{outlines.kept_name(image=2)}.sum"}


def test_names_follow_the_program_and_the_library_that_computes(monkeypatch: pytest.MonkeyPatch) -> None:
    ours = outlines.kept_name(image=1)
    for other in ({"source": "x", "torch": "1"}, {"source": "y", "torch": "1"}, {"source": "x", "torch": "2"}):
        monkeypatch.setattr(outlines, "_program", lambda other=other: other)
        assert outlines.kept_name(image=1) not in (ours, outlines.kept_name(image=2))
        ours = outlines.kept_name(image=1)


def test_a_folder_of_somebody_elses_files_is_never_touched(tmp_path: Path) -> None:
    precious = tmp_path / "run.json"
    precious.write_text("mine")
    for overwrite in (False, True):
        with pytest.raises(OutputError, match="no results of this program"):
            results_folder.check(tmp_path, overwrite=overwrite)
    assert precious.read_text() == "mine"


@pytest.mark.parametrize("marker", [None, b"", b"somebody else's"])
def test_a_folder_that_only_looks_like_ours_is_never_touched(tmp_path: Path, marker: bytes | None) -> None:
    (tmp_path / outlines.SEGMENTATIONS).mkdir()
    precious = [tmp_path / "results.json", tmp_path / outlines.SEGMENTATIONS / "gt.nii"]
    for file in precious:
        file.write_text("mine")
    if marker is not None:
        (tmp_path / results_folder.MARKER).write_bytes(marker)
    for overwrite in (False, True):
        with pytest.raises(OutputError, match="no results of this program"):
            results_folder.check(tmp_path, overwrite=overwrite)
    assert [file.read_text() for file in precious] == ["mine", "mine"]


def test_overwriting_removes_nothing_but_our_own_files(tmp_path: Path) -> None:
    results_folder.prepare(tmp_path)
    name, masks = outlines.kept_name(image=1), tmp_path / outlines.SEGMENTATIONS
    ours = [
        *(tmp_path / file for file in results_folder.RESULT_FILES),
        masks / f"{name}.npz",
        masks / f".{name}.npz.partial",
        tmp_path / "volumes" / "S1_baseline_L1.lesion.nrrd",
    ]
    (tmp_path / "volumes").mkdir()
    theirs = [tmp_path / "notes.txt", masks / "gt.nii", masks / "gt.npz", masks / f"{name}.nii", masks / f"a{name}.npz"]
    theirs.append(tmp_path / "volumes" / "S1_baseline_L1.seg.nrrd")
    for file in (*ours, *theirs):
        file.write_text("")
    with results_folder.opened(tmp_path, overwrite=True):
        results_folder.keep_only(tmp_path, (), ())
    assert not any(file.exists() for file in ours)
    assert all(file.exists() for file in theirs)
    results_folder.check(tmp_path, overwrite=False)


def test_an_output_that_is_a_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("")
    with pytest.raises(OutputError):
        results_folder.check(path, overwrite=True)


def test_what_was_made_of_earlier_results_does_not_outlive_them(tmp_path: Path) -> None:
    """A repeated and a resumed run start without the cohort's and the export's files; what is not ours stays."""
    results_folder.prepare(tmp_path / "out")
    for overwrite in (True, False):
        out = write_sizes(tmp_path / "out", {f"S{n}": [(30.0, 18.0 + n)] for n in range(6)})
        run_cohort(CohortRequest(results=out))
        export(ExportRequest(out=out, study="T1"))
        (out / "cdisc" / "notes.txt").write_text("mine")
        assert len(list((out / "cohort").iterdir())) > 3
        assert len(list((out / "cdisc").iterdir())) > 10
        if not overwrite:
            (out / results_folder.FINISHED).unlink()
        results_folder.check(out, overwrite=overwrite)
        results_folder.prepare(out)
        assert not (out / "cohort").exists()
        assert {file.name for file in (out / "cdisc").iterdir()} == {"notes.txt", ".lesion_measure_cdisc"}
        (out / "cdisc" / "notes.txt").unlink()


def test_a_link_to_a_folder_elsewhere_is_left_alone(tmp_path: Path) -> None:
    results_folder.prepare(tmp_path / "out")
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "cohort.html").write_text("mine")
    (tmp_path / "out" / "cohort").symlink_to(tmp_path / "elsewhere")
    results_folder.prepare(tmp_path / "out")
    assert (tmp_path / "elsewhere" / "cohort.html").read_text() == "mine"
