"""The simulator: its truth against analytic geometry, its speckle against theory, its files against pydicom."""

from __future__ import annotations

import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.pixels.processing import apply_color_lut

from csv_files import csv_rows
from lesion_measure.errors import OutputError
from lesion_measure.lab.phantom import random_training_frame, simulate_trial
from lesion_measure.lab.phantom.__main__ import main
from lesion_measure.lab.phantom.acoustics import Machine, ScanView, Scatterers, blur, render
from lesion_measure.lab.phantom.anatomy import random_lesion, random_scene
from lesion_measure.lab.phantom.beams import BeamGrid, Probe, Screen
from lesion_measure.lab.phantom.children import ChildPlan, Exposure, LesionPlan, build_child
from lesion_measure.lab.phantom.files import Encoding
from lesion_measure.lab.phantom.readers import Reader
from lesion_measure.lab.phantom.samples import DEFAULT_SEED, samples
from lesion_measure.lab.phantom.scene import Echo
from lesion_measure.lab.phantom.shapes import ScanPlane, StarShape, measure_outline
from lesion_measure.lab.phantom.studies import write_child
from lesion_measure.lab.phantom.trial import random_plan, subject_rows
from lesion_measure.records import BASELINE, ONE_MONTH, Form, Plane
from lesion_measure.tables.subjects import read_subjects

PROBE = Probe(radius_mm=50, field_deg=65, frequency_mhz=5.0, focus_mm=50)
PLANE = ScanPlane(np.zeros(3), np.array([1.0, 0, 0]), np.array([0, 0, 1.0]))


def ellipsoid(radii: tuple[float, float, float], seed: int = 0, roughness: float = 0.0) -> StarShape:
    """A shape at 60 mm depth, turned at random."""
    return StarShape.random(np.random.default_rng(seed), np.array([3.0, -2.0, 60.0]), radii, roughness)


def random_plane(seed: int, through: np.ndarray) -> ScanPlane:
    basis = np.linalg.qr(np.random.default_rng(seed).normal(size=(3, 3)))[0]
    return ScanPlane(through - 40 * basis[1] + 7 * basis[0], basis[0], basis[1])


class TestGeometry:
    def test_sphere_off_centre_is_the_exact_circle(self) -> None:
        sphere = ellipsoid((12, 12, 12))
        plane = replace(PLANE, origin=np.array([0.0, 3.0, 0.0]))  # 5 mm from the centre
        outline = sphere.outline(plane)
        assert outline is not None
        expected = np.sqrt(12**2 - 5**2)
        assert np.linalg.norm(outline - [3.0, 60.0], axis=1) == pytest.approx(expected, abs=1e-6)
        screen = Screen(480, 640, 20.3, 300.7, (0.21, 0.17))
        area = screen.coverage(sphere, plane).sum() * 0.21 * 0.17
        assert area == pytest.approx(np.pi * expected**2, rel=1e-3)

    def test_plane_beside_the_shape_has_no_outline(self) -> None:
        away = replace(PLANE, origin=np.array([0.0, 11.0, 0.0]))
        assert ellipsoid((12, 12, 12)).outline(away) is None

    @pytest.mark.parametrize("seed", range(5))
    def test_oblique_cut_of_an_ellipsoid_has_the_axes_of_its_quadratic_form(self, seed: int) -> None:
        shape = ellipsoid((20, 12, 8), seed)
        plane = random_plane(seed, shape.centre)
        form = shape.axes.T @ np.diag(1 / shape.radii_mm**2) @ shape.axes
        basis = np.stack([plane.lateral, plane.depth], axis=1)
        short, long = 2 / np.sqrt(np.linalg.eigvalsh(basis.T @ form @ basis))[::-1]
        outline = shape.outline(plane)
        assert outline is not None
        axes = measure_outline(outline)
        assert (axes.long_mm, axes.short_mm) == pytest.approx((long, short), rel=1e-4)

    def test_axes_of_a_rectangle(self) -> None:
        wide, high = 30.0, 12.0
        corners = np.array([[0, 0], [wide, 0], [wide, high], [0, high]])
        turn = np.array([[np.cos(0.4), -np.sin(0.4)], [np.sin(0.4), np.cos(0.4)]])
        axes = measure_outline(corners @ turn.T)
        diagonal = np.hypot(wide, high)
        assert axes.long_mm == pytest.approx(diagonal)
        assert axes.short_mm == pytest.approx(high * diagonal / wide)
        assert (axes.long[1] - axes.long[0]) @ (axes.short[1] - axes.short[0]) == pytest.approx(0, abs=1e-9)

    def test_volume_of_an_ellipsoid(self) -> None:
        assert ellipsoid((30, 14, 9), 3).volume_ml() == pytest.approx(4 / 3 * np.pi * 30 * 14 * 9 / 1000, rel=1e-4)

    def test_volume_of_an_irregular_shape_by_counting_voxels(self) -> None:
        shape = ellipsoid((14, 11, 9), 4, roughness=0.08)
        axis = np.arange(-20, 20, 0.25) + 0.125
        points = np.stack(np.meshgrid(axis, axis, axis, indexing="ij"), axis=-1).astype(np.float32)
        inside = shape.distance(points + shape.centre.astype(np.float32))[0] < 0
        assert shape.volume_ml() == pytest.approx(inside.sum() * 0.25**3 / 1000, rel=1e-3)

    def test_tilting_and_sliding_the_probe_in_its_plane_keep_the_axes(self) -> None:
        shape = ellipsoid((14, 11, 9), 5, roughness=0.08)
        plane = ScanPlane(np.array([3.0, -2.0, 0.0]), np.array([1.0, 0, 0]), np.array([0, 0, 1.0]))
        sizes = []
        for view in (plane, plane.moved(x_mm=6, z_mm=-3).tilted(8)):
            outline = shape.outline(view)
            assert outline is not None
            axes = measure_outline(outline)
            sizes.append((axes.long_mm, axes.short_mm))
        assert sizes[0] == pytest.approx(sizes[1], rel=1e-4)

    def test_coverage_follows_the_outline_under_anisotropic_spacing(self) -> None:
        shape = ellipsoid((14, 11, 9), 6, roughness=0.05)
        outline = shape.outline(PLANE.moved())
        assert outline is not None
        x, z = outline.T
        area = abs(np.sum(x * np.roll(z, -1) - np.roll(x, -1) * z)) / 2
        for spacing in ((0.2, 0.2), (0.15, 0.3)):
            screen = Screen(700, 500, 10.4, 240.2, spacing)
            assert screen.coverage(shape, PLANE).sum() * spacing[0] * spacing[1] == pytest.approx(area, rel=2e-3)


class TestAcoustics:
    def test_envelope_of_fully_developed_speckle_is_rayleigh(self) -> None:
        grid = BeamGrid(PROBE, PLANE, 90, 0.25)
        field = blur(Scatterers(np.random.default_rng(1), 1, grid.shape).layers[0], grid)
        envelope = np.abs(field)
        assert (envelope**2).mean() == pytest.approx(1, rel=0.05)
        assert envelope.mean() / envelope.std() == pytest.approx(1.9131, rel=0.03)

    def test_lateral_speckle_has_the_width_of_the_point_spread_function(self) -> None:
        grid = BeamGrid(PROBE, PLANE, 120, 0.25)
        rng = np.random.default_rng(2)
        measured = {}
        for depth in (45.0, 110.0):
            rows = np.abs(grid.ranges - depth) < 6
            correlation = np.zeros(40)
            for _ in range(8):
                field = blur(Scatterers(rng, 1, grid.shape).layers[0], grid)[rows]
                lags = [
                    np.vdot(field[:, : -lag or None], field[:, lag:]).real / field[:, lag:].size for lag in range(40)
                ]
                correlation += np.array(lags)
            correlation /= correlation[0]
            half = np.interp(-0.5, -correlation[:20], np.arange(20))
            measured[depth] = 2 * half * (grid.angles[1] - grid.angles[0]) * (PROBE.radius_mm + depth)
            # The autocorrelation of a Gaussian is wider than the Gaussian by the square root of two.
            expected = np.sqrt(2) * PROBE.lateral_fwhm_mm(np.array([depth]))[0]
            assert measured[depth] == pytest.approx(expected, rel=0.12)
        assert measured[110.0] > 1.5 * measured[45.0]

    @pytest.mark.parametrize(("x", "z"), [(0.0, 40.0), (-21.3, 61.7), (30.2, 70.1)])
    def test_scan_conversion_puts_a_point_where_it_belongs(self, x: float, z: float) -> None:
        grid = BeamGrid(PROBE, PLANE, 90, 0.2)
        spot = np.exp(-((grid.x - x) ** 2 + (grid.z - z) ** 2) / 2 / 1.5**2)
        screen = Screen(500, 620, 31.4, 305.8, (0.21, 0.19))
        picture = screen.convert(grid, spot)
        centroid = np.array([(axis * picture).sum() / picture.sum() for axis in np.indices(picture.shape)])
        assert centroid == pytest.approx(screen.to_pixels(np.array([x, z])), abs=0.05)

    def test_a_dark_lesion_is_seen_where_the_truth_says(self) -> None:
        rng = np.random.default_rng(5)
        scene = random_scene(rng, 0.8)
        centre = np.array([0.0, 0.0, 55.0])
        lesion = replace(random_lesion(rng, "L1", centre, 14, -15, Echo.HYPO), texture_db=0, rim_mm=0, core_share=0)
        lesion = replace(lesion, border_mm=0.3, stones=(), loss_db_per_mm=0)
        machine = Machine(depth_mm=100, looks=12, smooth_px=1.0, noise_db=-40)
        screen = Screen.fitted(PROBE, 100, (420, 480), (0, 0, 420, 480))
        image = render(
            replace(scene.cleared([lesion.shape]), lesions=(lesion,)), ScanView(PLANE, PROBE, machine, screen), rng
        )
        truth = screen.coverage(lesion.shape, PLANE) >= 0.5
        rows, cols = np.nonzero(truth)
        near = np.s_[rows.min() - 4 : rows.max() + 5, cols.min() - 4 : cols.max() + 5]
        level = (np.median(image[truth]) + np.median(image[near][~truth[near]])) / 2
        seen = image[near] < level
        dice = 2 * (seen & truth[near]).sum() / (seen.sum() + truth.sum())
        assert dice > 0.95
        assert abs(seen.sum() / truth.sum() - 1) < 0.05

    def test_nothing_is_drawn_outside_the_fan(self) -> None:
        rng = np.random.default_rng(6)
        screen = Screen.fitted(PROBE, 80, (300, 400), (10, 10, 290, 390))
        image = render(random_scene(rng, 0.6), ScanView(PLANE, PROBE, Machine(80, pedestal=30), screen), rng)
        fan = screen.fan(PROBE, 80)
        assert not image[~fan].any()
        assert image[fan].min() >= 29


class TestTrainingFrames:
    def test_same_seed_same_picture(self) -> None:
        first, second = (random_training_frame(np.random.default_rng(7), (200, 260)) for _ in range(2))
        assert first[0].shape == first[1].shape == (200, 260)
        assert first[0].dtype == first[1].dtype == np.uint8
        assert np.array_equal(first[0], second[0])
        assert np.array_equal(first[1], second[1])
        assert first[2] == second[2]

    def test_some_are_free_of_lesions_and_masks_lie_on_the_fan(self) -> None:
        frames = [random_training_frame(np.random.default_rng(seed), (160, 160)) for seed in range(24)]
        empty = sum(not mask.any() for _, mask, _ in frames)
        assert 1 <= empty <= 12
        assert all(set(np.unique(mask)) <= {0, 1} for _, mask, _ in frames)
        assert all(0.1 < value < 3 for _, _, spacing in frames for value in spacing)
        assert not random_training_frame(np.random.default_rng(1), (160, 160), lesion_free=1.0)[1].any()


@pytest.fixture(scope="module")
def trial(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("trial")
    simulate_trial(out, subjects=2, seed=258)
    return out


def tissue_region(ds: pydicom.Dataset) -> pydicom.Dataset:
    region: pydicom.Dataset = next(item for item in ds.SequenceOfUltrasoundRegions if item.RegionDataType == 1)
    return region


class TestTrial:
    def test_calipers_times_calibration_give_the_true_axes(self, trial: Path) -> None:
        truth = {
            (row[f"{plane}_image"], axis): float(row[f"{plane}_{axis}_mm"])
            for row in csv_rows(trial / "truth.csv")
            for plane in ("transverse", "sagittal")
            for axis in ("long", "short")
            if row["present"] == "yes"
        }
        seen = 0
        lines: dict[str, list[np.ndarray]] = {}
        for row in csv_rows(trial / "calipers.csv"):
            if row["axis"] == "absent":
                continue
            ds = pydicom.dcmread(trial / row["image"], stop_before_pixels=True)
            region = tissue_region(ds)
            ends = np.array([[float(row[f"{end}_{of}"]) for of in ("col", "row")] for end in ("start", "end")])
            scale = 10 * np.array([region.PhysicalDeltaX, region.PhysicalDeltaY])
            line = (ends[1] - ends[0]) * scale
            assert np.linalg.norm(line) == pytest.approx(truth[row["image"], row["axis"]], rel=1e-3)
            assert (ends >= [region.RegionLocationMinX0, region.RegionLocationMinY0]).all()
            assert (ends <= [region.RegionLocationMaxX1, region.RegionLocationMaxY1]).all()
            assert (region.RegionLocationMaxX1, region.RegionLocationMaxY1) < (ds.Columns, ds.Rows)
            lines.setdefault(row["image"], []).append(line / np.linalg.norm(line))
            seen += 1
        assert seen == len(truth) > 0
        assert all(abs(long @ short) < 1e-3 for long, short in lines.values())

    def test_every_diameter_changes_by_the_same_factor_and_the_volume_by_its_cube(self, trial: Path) -> None:
        sizes = ("transverse_long_mm", "transverse_short_mm", "sagittal_long_mm", "sagittal_short_mm")
        rows = {(r["subject"], r["lesion"], r["visit"]): r for r in csv_rows(trial / "truth.csv")}
        compared = 0
        for (subject, lesion, visit), row in rows.items():
            if visit != "one_month" or row["present"] == "no":
                continue
            before = rows[subject, lesion, "baseline"]
            factor = 1 + float(row["diameter_change_percent"]) / 100
            for size in sizes:
                assert float(row[size]) / float(before[size]) == pytest.approx(factor, rel=2e-4)
            assert float(row["volume_ml"]) / float(before["volume_ml"]) == pytest.approx(factor**3, rel=2e-4)
            assert factor**3 - 1 == pytest.approx(float(row["volume_change_percent"]) / 100, abs=1e-5)
            compared += 1
        assert compared

    def test_visits_name_every_file_and_agree_with_its_header(self, trial: Path) -> None:
        rows = csv_rows(trial / "visits.csv")
        files = {path.relative_to(trial).as_posix() for path in trial.rglob("*.dcm")}
        assert files == {row["path"] for row in rows}
        dates: dict[tuple[str, str], str] = {}
        for row in rows:
            ds = pydicom.dcmread(trial / row["path"], stop_before_pixels=True)
            assert ds.ClinicalTrialSubjectID == row["subject"]
            assert ds.get("ClinicalTrialTimePointID", row["visit"]) == row["visit"]
            assert ds.ViewCodeSequence[0].CodeMeaning.lower() == row["plane"]
            assert dates.setdefault((row["subject"], row["visit"]), ds.StudyDate) == ds.StudyDate
        uids = [pydicom.dcmread(trial / name, stop_before_pixels=True).SOPInstanceUID for name in files]
        assert len(set(uids)) == len(uids)

    def test_the_subjects_table_is_that_of_a_run_and_fits_headers_and_truth(self, trial: Path) -> None:
        table = read_subjects(trial / "subjects.csv")
        truth = csv_rows(trial / "truth.csv")
        assert list(table) == sorted({row["subject"] for row in truth})
        for path in trial.rglob("*.dcm"):
            ds = pydicom.dcmread(path, stop_before_pixels=True)
            assert ds.PatientAge == f"{table[ds.ClinicalTrialSubjectID].age_months:03.0f}M"
        for code, row in table.items():
            at_baseline = [r for r in truth if (r["subject"], r["visit"]) == (code, "baseline")]
            assert row.form is (Form.MULTIFOCAL if len(at_baseline) > 1 else Form.FOCAL)
            assert row.excluded == ()
            assert set(row.flags.values()) == {False}

    def test_children_are_excluded_only_where_that_is_asked_for(self, tmp_path: Path) -> None:
        plans = [random_plan(index, 7) for index in range(9)]
        for excluded in (0, 1, 9):
            rows = [{name: str(cell) for name, cell in row.items()} for row in subject_rows(plans, 7, excluded)]
            assert [row["hepatoblastoma"] for row in rows].count("yes") == excluded
        assert [*subject_rows(plans, 7, 1)] == [*subject_rows(plans, 7, 1)]

    def test_refuses_a_folder_that_is_not_empty(self, tmp_path: Path) -> None:
        (tmp_path / "notes.txt").write_text("mine")
        for overwrite in (False, True):
            with pytest.raises(OutputError):
                simulate_trial(tmp_path, subjects=1, seed=1, overwrite=overwrite)
        assert (tmp_path / "notes.txt").read_text() == "mine"

    def test_same_seed_same_bytes_and_overwriting_when_asked(self, trial: Path, tmp_path: Path) -> None:
        calls: list[tuple[int, int]] = []
        (tmp_path / "truth.csv").write_text("old")
        simulate_trial(tmp_path, subjects=1, seed=258, overwrite=True, progress=lambda *args: calls.append(args))
        assert calls == [(0, 1), (1, 1)]
        files = list(tmp_path.rglob("*.dcm"))
        assert files
        for path in files:
            assert path.read_bytes() == (trial / path.relative_to(tmp_path)).read_bytes()


class TestReaders:
    """Calipers with an error of a known size."""

    def exposure(self, number: int = 1, visit: str = BASELINE) -> Exposure:
        outline = ellipsoid((9, 7, 8), seed=2).outline(random_plane(1, np.array([3.0, -2.0, 60.0])), 360)
        assert outline is not None
        return Exposure(visit, f"L{number}", Plane.SAGITTAL, PLANE, measure_outline(outline))

    def test_the_error_is_as_large_as_it_is_said_to_be_and_belongs_to_each_line_alone(self) -> None:
        one, later = self.exposure(), self.exposure(visit=ONE_MONTH)
        assert one.axes is not None
        logs = []
        for seed in range(1500):
            drawn = [Reader(n, 0.089).draws(seed, one) for n in (1, 2)]
            drawn.append(Reader(1, 0.089).draws(seed, later))
            logs.append([np.log(f / t) for a in drawn if a for f, t in ((a.long_mm, one.axes.long_mm),
                                                                        (a.short_mm, one.axes.short_mm))])  # fmt: skip
        errors = np.array(logs)
        assert errors.mean(axis=0) == pytest.approx(np.zeros(6), abs=3.5 * 0.089 / np.sqrt(1500))
        assert errors.std(axis=0) == pytest.approx(np.full(6, 0.089), rel=3.5 / np.sqrt(3000))
        assert abs(np.corrcoef(errors.T) - np.eye(6)).max() < 4.5 / np.sqrt(1500)

    def test_lines_grow_about_their_middles_and_are_always_read_alike(self) -> None:
        one = self.exposure()
        drawn, again = Reader(1, 0.2).draws(5, one), Reader(1, 0.2).draws(5, one)
        assert drawn is not None
        assert again is not None
        assert one.axes is not None
        np.testing.assert_array_equal(drawn.long, again.long)
        assert drawn.long.mean(axis=0) == pytest.approx(one.axes.long.mean(axis=0))
        assert drawn.long_mm != pytest.approx(one.axes.long_mm)
        perfect = Reader().draws(5, one)
        assert perfect is not None
        np.testing.assert_allclose(perfect.short, one.axes.short)

    def test_a_trial_of_two_readers_in_which_nobody_comes_again(self, tmp_path: Path) -> None:
        simulate_trial(tmp_path, subjects=1, seed=258, readers=2, reader_cv=0.1, missing=1.0)
        tables = [csv_rows(tmp_path / name) for name in ("calipers.csv", "calipers2.csv")]
        assert [{row["reader"] for row in rows} for rows in tables] == [{"reader-1"}, {"reader-2"}]
        assert tables[0][0]["start_col"] != tables[1][0]["start_col"]
        assert {row["visit"] for row in csv_rows(tmp_path / "truth.csv")} == {"screening", "baseline"}
        simulate_trial(tmp_path, subjects=1, seed=258, overwrite=True)
        assert not (tmp_path / "calipers2.csv").exists()


class TestFiles:
    @staticmethod
    def plan(**changes: object) -> ChildPlan:
        lesion = LesionPlan(7, {BASELINE: 1.0}, -6.0, Echo.HYPO)
        first = samples(3)[0].plan
        return replace(
            first, lesions=(lesion,), dates={BASELINE: first.dates[BASELINE]}, **changes  # type: ignore[arg-type]
        )  # fmt: skip

    @pytest.mark.parametrize("encoding", [e for e in Encoding if e is not Encoding.JPEG_RGB])
    def test_every_lossless_encoding_gives_back_the_picture(self, encoding: Encoding, tmp_path: Path) -> None:
        child = build_child(self.plan(encoding=encoding))
        exposure = child.exposures[0]
        stored = write_child(tmp_path, "", replace(child, exposures=(exposure,)))
        ds = pydicom.dcmread(tmp_path / stored[0].path)
        (fan,) = child.frames(exposure, 1)
        pixels = ds.pixel_array
        if encoding is Encoding.PLAIN_PALETTE:
            assert not np.array_equal(pixels[fan > 0], fan[fan > 0])
            pixels = (apply_color_lut(pixels, ds) >> 8).astype(np.uint8)
        gray = pixels if pixels.ndim == 2 else pixels[..., 0]
        seen = child.view(exposure).screen.fan(child.probe, child.machine.depth_mm)
        assert np.array_equal(gray[seen], fan[seen])
        assert f"{ds.file_meta.TransferSyntaxUID.name}".startswith(str(encoding).split(" ")[0])
        assert str(encoding).endswith(ds.PhotometricInterpretation)

    def test_cine_is_jpeg_with_frame_time_and_the_measured_frame_in_the_plane(self, tmp_path: Path) -> None:
        child = build_child(self.plan(cine_frames=5))
        stored = write_child(tmp_path, "", child)
        ds = pydicom.dcmread(tmp_path / stored[0].path)
        assert ds.SOPClassUID.name == "Ultrasound Multi-frame Image Storage"
        assert (ds.NumberOfFrames, ds.PhotometricInterpretation) == (5, "YBR_FULL_422")
        assert float(ds.FrameTime) == 40
        frames = ds.pixel_array.astype(int)
        assert frames.shape == (5, ds.Rows, ds.Columns, 3)
        assert stored[0].frame == 2
        fan = list(child.frames(child.exposures[0], 1))[1]
        seen = child.view(child.exposures[0]).screen.fan(child.probe, child.machine.depth_mm)
        assert np.abs(frames[1].mean(axis=-1)[seen] - fan[seen]).mean() < 4
        inside = [f[..., 0][seen].astype(float) for f in frames]
        assert 0.5 < np.corrcoef(inside[0], inside[1])[0, 1] < 0.995

    def test_gray_bar_region_stands_before_the_tissue(self, tmp_path: Path) -> None:
        child = build_child(self.plan(bar_region=True))
        stored = write_child(tmp_path, "", replace(child, exposures=child.exposures[:1]))
        regions = pydicom.dcmread(tmp_path / stored[0].path).SequenceOfUltrasoundRegions
        assert [(r.RegionSpatialFormat, r.RegionDataType) for r in regions] == [(5, 13), (1, 1)]
        assert (regions[1].PhysicalUnitsXDirection, regions[1].PhysicalUnitsYDirection) == (3, 3)
        spacing = child.view(child.exposures[0]).screen.spacing_mm
        assert (regions[1].PhysicalDeltaY * 10, regions[1].PhysicalDeltaX * 10) == pytest.approx(spacing, rel=1e-12)

    def test_files_conform_to_the_standard(self, trial: Path) -> None:
        checker = shutil.which("dciodvfy")
        if checker is None:
            pytest.skip("dciodvfy (Debian package dicom3tools) is not installed")
        for path in trial.rglob("*.dcm"):
            said = subprocess.run([checker, str(path)], capture_output=True, text=True, check=False).stderr
            assert "Error" not in said


class TestSamples:
    def test_manifest_lists_every_file_and_all_is_small(self, project_dir: Path) -> None:
        folder = project_dir / "sample_dicoms"
        files = {path.relative_to(folder).as_posix() for path in folder.rglob("*.dcm")}
        manifest = {row["path"]: row for row in csv_rows(folder / "MANIFEST.csv")}
        assert files == set(manifest)
        assert sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) < 15e6
        assert len({row["subject"] for row in manifest.values()}) == 6
        refused = [name for name, row in manifest.items() if row["expected"].startswith("refused")]
        assert len(refused) == 1
        assert "SequenceOfUltrasoundRegions" not in pydicom.dcmread(folder / refused[0], stop_before_pixels=True)
        absent = [row["image"] for row in csv_rows(folder / "calipers.csv") if row["axis"] == "absent"]
        assert len(absent) == 2
        assert all(not manifest[name]["true_long_mm"] for name in absent)

    def test_samples_can_be_made_again(self, project_dir: Path, tmp_path: Path) -> None:
        child = build_child(samples(DEFAULT_SEED)[0].plan)
        one = replace(child, exposures=child.exposures[:1])
        (stored,) = write_child(tmp_path, "", one)
        again = write_child(tmp_path / "again", "", one)[0]
        assert (tmp_path / stored.path).read_bytes() == (tmp_path / "again" / again.path).read_bytes()
        new = pydicom.dcmread(tmp_path / stored.path)
        kept = pydicom.dcmread(project_dir / "sample_dicoms" / stored.path)
        assert new.SOPInstanceUID == kept.SOPInstanceUID
        assert tissue_region(new) == tissue_region(kept)
        # Another processor rounds float32 cosines differently: a gray level here and there, no more.
        difference = np.abs(new.pixel_array.astype(int) - kept.pixel_array.astype(int))
        assert difference.max() <= 2
        assert (difference > 0).mean() < 1e-2

    def test_wrong_arguments(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        assert main([]) == 2
        (tmp_path / "mine.txt").write_text("x")
        assert main([str(tmp_path)]) == 1
        assert "mine.txt" in capsys.readouterr().err


def test_the_simulator_needs_neither_torch_nor_pandas_nor_matplotlib() -> None:
    code = "import sys, lesion_measure.lab.phantom; print({*'torch pandas matplotlib monai'.split()} & {*sys.modules})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
