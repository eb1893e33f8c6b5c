"""The results folder: what may be overwritten, and masks that survive an interruption."""

from __future__ import annotations

import errno
import gc
import hashlib
import json
import os
import random
import threading
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import make
from cohort_results import write_sizes
from lesion_measure.cdisc import ExportRequest, export
from lesion_measure.cohort.command import CohortRequest, run_cohort
from lesion_measure.errors import OutputError
from lesion_measure.files.writing import replacing_bytes
from lesion_measure.image import cine, outline_file, outlines, stack
from lesion_measure.job import folder as results_folder
from lesion_measure.records import DrawnLesion, LesionMask


def _mask() -> LesionMask:
    probability = np.linspace(0, 1, 12, dtype=np.float32).reshape(3, 4)
    outline = make.box(2, 3, 2, 2)
    return LesionMask(probability=probability, origin=(7, 9), outline_px=outline, confidence=0.75, accepted=True)


Masks = dict[int, list[LesionMask]]
Told = dict[int, list[tuple[object, ...]]]


def _told(lesion: DrawnLesion) -> tuple[object, ...]:
    arrays = lesion.probability, lesion.outline_px
    shapes = [(array.dtype.str, array.shape, array.tobytes()) for array in arrays]
    return (*shapes, lesion.shape, lesion.origin, lesion.confidence, lesion.accepted)


def _kept(out: Path, name: str, masks: Masks) -> tuple[outlines.Use, Told]:
    """What a run is told of outlines that it keeps, or finds kept."""
    run = outlines.Outlines(out)
    with run.kept_or_made(name, lambda keep: keep(masks.items())) as kept:
        return run.use, {frame: [_told(lesion) for lesion in lesions] for frame, lesions in kept.items()}


def _other(seed: int) -> LesionMask:
    rng = np.random.default_rng(seed)
    return LesionMask(
        probability=rng.random((seed + 1, 7), dtype=np.float32)[:, ::2], origin=(seed, 3),
        outline_px=rng.normal(0, 9, (5, 2)), confidence=float(rng.random()), accepted=False,
    )  # fmt: skip


def test_masks_come_back_as_they_were_also_from_frames_without_a_lesion(tmp_path: Path) -> None:
    """To the bit, from what was just drawn and from what an earlier run kept, in whatever order frames were drawn."""
    results_folder.prepare(tmp_path / "out")
    masks = {7: [_other(4)], 3: [_mask(), _other(2), _other(9)], 5: []}
    expected = {frame: [_told(lesion) for lesion in lesions] for frame, lesions in masks.items()}
    for made in (1, 0):
        use, told = _kept(tmp_path / "out", "name", masks)
        assert told == expected
        assert list(told) == [3, 5, 7]
        assert (use.made, use.reused) == (made, 1 - made)


def test_damaged_or_missing_masks_are_computed_again(tmp_path: Path) -> None:
    """Cut off, of another picture, without what stands beside it, and 1,000 flipped bits: none is believed."""
    results_folder.prepare(tmp_path)
    masks = {1: [_mask(), _mask()], 4: [_mask()]}
    _kept(tmp_path, "name", masks)
    _kept(tmp_path, "other", {1: [_mask()]})
    folder = tmp_path / outlines.SEGMENTATIONS

    def believed() -> bool:
        with outline_file.kept(folder / "name") as found:
            return found is not None

    assert believed()
    rng = random.Random(11)
    for file in (folder / "name.raw", folder / "name.json"):
        whole = file.read_bytes()
        for bit in sorted(rng.sample(range(8 * len(whole)), 1000)):
            damaged = bytearray(whole)
            damaged[bit // 8] ^= 1 << bit % 8
            file.write_bytes(damaged)
            assert not believed(), (file.name, bit)
        for damaged in (b"", whole[:-1], whole + b"\n", (folder / f"other{file.suffix}").read_bytes()):
            file.write_bytes(damaged)
            assert not believed()
        file.unlink()
        assert not believed()
        file.write_bytes(whole)
    (folder / "name.raw").write_bytes(b"PK\x03\x04")
    for made in (1, 0):
        use, told = _kept(tmp_path, "name", masks)
        assert {frame: len(lesions) for frame, lesions in told.items()} == {1: 2, 4: 1}
        assert (use.made, use.reused) == (made, 1 - made)


@pytest.mark.parametrize(
    "lesion",
    [
        [2, 3, 4, 5, 7, 9, 0.75, True],
        [1, 3, 4, 6, 7, 9, 0.75, True],
        [1, -3, -4, 5, 7, 9, 0.75, True],
        [1, 3, 4, 5, 7, 9, 0.75, 1],
        [1, 3, 4],
        None,
    ],
)
def test_an_index_that_its_hash_fits_and_not_its_arrays_is_not_believed(tmp_path: Path, lesion: object) -> None:
    results_folder.prepare(tmp_path)
    _kept(tmp_path, "name", {1: [_mask()]})
    place = tmp_path / outlines.SEGMENTATIONS / "name"
    known = json.loads(place.with_suffix(".json").read_bytes().splitlines()[1])
    assert known["lesions"] == [[1, 3, 4, 5, 7, 9, 0.75, True]]
    text = json.dumps(known | {"lesions": [lesion]}).encode()
    place.with_suffix(".json").write_bytes(hashlib.sha256(text).hexdigest().encode() + b"\n" + text)
    with outline_file.kept(place) as found:
        assert found is None


def test_outlines_that_a_disk_does_not_give_back_end_the_run_with_the_reason(tmp_path: Path) -> None:
    results_folder.prepare(tmp_path)
    with outlines.Outlines(tmp_path).kept_or_made("name", lambda keep: keep([(1, [_mask()])])) as masks:
        os.truncate(tmp_path / outlines.SEGMENTATIONS / "name.raw", 50)
        assert masks[1][0].probability.shape == (3, 4)
        with pytest.raises(OutputError, match="cannot be read back") as told:
            _ = masks[1][0].outline_px
    assert told.value.path == str(tmp_path / outlines.SEGMENTATIONS / "name.raw")


def test_two_runs_that_draw_one_image_at_once_keep_what_was_drawn(tmp_path: Path) -> None:
    """In processes of one number, as in two containers; a task of a cluster may be given again, too."""
    results_folder.prepare(tmp_path)
    masks = {1: [_mask()], 2: [_mask(), _mask()]}
    expected = {frame: [_told(lesion) for lesion in lesions] for frame, lesions in masks.items()}

    def drawn_while_another_draws() -> Iterator[tuple[int, list[LesionMask]]]:
        yield 1, masks[1]
        assert _kept(tmp_path, "name", masks)[1] == expected
        yield 2, masks[2]

    with outlines.Outlines(tmp_path).kept_or_made("name", lambda keep: keep(drawn_while_another_draws())) as kept:
        assert {frame: [_told(lesion) for lesion in lesions] for frame, lesions in kept.items()} == expected
    use, told = _kept(tmp_path, "name", masks)
    assert (use.reused, told) == (1, expected)


def test_an_error_of_what_draws_is_not_told_of_the_results_folder(tmp_path: Path) -> None:
    results_folder.prepare(tmp_path)
    own = OSError(errno.EPIPE, "the decoder has ended")

    def drawn() -> Iterator[tuple[int, list[LesionMask]]]:
        yield 1, [_mask()]
        raise own

    run = outlines.Outlines(tmp_path)
    with pytest.raises(OSError, match="decoder") as caught, run.kept_or_made("name", lambda keep: keep(drawn())):
        pass
    assert caught.value is own
    assert not list((tmp_path / outlines.SEGMENTATIONS).iterdir())


@pytest.mark.parametrize("suffix", [".raw", ".json"])
def test_a_pipe_in_the_place_of_outlines_is_not_waited_for(tmp_path: Path, suffix: str) -> None:
    results_folder.prepare(tmp_path)
    _kept(tmp_path, "name", {1: [_mask()]})
    place = tmp_path / outlines.SEGMENTATIONS / "name"
    place.with_suffix(suffix).unlink()
    os.mkfifo(place.with_suffix(suffix))

    def looked() -> None:
        with outline_file.kept(place) as found:
            assert found is None

    looking = threading.Thread(target=looked, daemon=True)
    looking.start()
    looking.join(10)
    assert not looking.is_alive()


def test_memory_does_not_grow_with_the_outlines_of_a_cine(tmp_path: Path) -> None:
    """Followed from frame to frame, and measured on one: some hundred bytes stay of a lesion's 128 kB."""
    results_folder.prepare(tmp_path)

    def lesions(frames: int) -> Iterator[tuple[int, list[LesionMask]]]:
        for frame in range(1, frames + 1):
            angle = np.linspace(0, 2 * np.pi, 800)
            outline = 100 + 50 * np.column_stack([np.sin(angle), np.cos(angle)])
            map_ = np.full((170, 170), 0.9, np.float32)
            yield (
                frame,
                [
                    LesionMask(probability=map_, origin=(15, left), outline_px=outline, confidence=0.5, accepted=True)
                    for left in (15, 215)
                ],
            )

    def peak(frames: int) -> int:
        gc.collect()
        tracemalloc.start()
        try:
            with outlines.Outlines(tmp_path).kept_or_made(f"{frames}", lambda keep: keep(lesions(frames))) as masks:
                followed = stack.tracks(masks, gaps=True)
                assert [len(track) for track in followed] == [frames, frames]
                assert stack.apart_from(followed[:1], followed[1:]) == followed[:1]
                assert cine.best_frame(followed[1]) == 1
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    few, many = peak(40), peak(240)
    assert (many - few) / 200 < 2 * 1000
    assert (tmp_path / outlines.SEGMENTATIONS / "240.raw").stat().st_size > 240 * 250_000


def test_names_follow_what_they_depend_on() -> None:
    assert outlines.kept_name(a=1, b=[2]) == outlines.kept_name(b=[2], a=1) != outlines.kept_name(a=1, b=[3])


def run_in(out: Path, *, overwrite: bool = False, name: str = outlines.kept_name(image=1)) -> outlines.Outlines:
    """A run that keeps one outline, and finishes."""
    with results_folder.opened(out, overwrite=overwrite) as kept:
        with kept.kept_or_made(name, lambda keep: keep([(1, [_mask()])])):
            pass
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
    assert left == {f"{outlines.kept_name(image=2)}.raw", f"{outlines.kept_name(image=2)}.json"}


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


def _while_written(place: Path) -> Path:
    """The name that a file of several writers has until it is complete, which a kill leaves."""
    with replacing_bytes(place, shared=True) as stream:
        return Path(stream.name)


def test_overwriting_removes_nothing_but_our_own_files(tmp_path: Path) -> None:
    results_folder.prepare(tmp_path)
    (tmp_path / "volumes").mkdir()
    name, masks = outlines.kept_name(image=1), tmp_path / outlines.SEGMENTATIONS
    ours = [
        *(tmp_path / file for file in results_folder.RESULT_FILES),
        masks / f"{name}.raw",
        masks / f"{name}.json",
        masks / f".{name}.raw.123.partial",  # of an earlier version
        *(_while_written(place) for place in (masks / f"{name}.raw", masks / f"{name}.json")),
        _while_written(tmp_path / results_folder.MEASURED / "S1.jsonl"),
        masks / f"{name}.npz",
        tmp_path / "volumes" / "S1_baseline_L1.lesion.nrrd",
    ]
    ours.append(_while_written(ours[-1]))
    theirs = [tmp_path / "notes.txt", masks / "gt.nii", masks / "gt.raw", masks / f"{name}.nii", masks / f"a{name}.raw"]
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
