"""Pixels that were rescaled after acquisition while the scale was left as it was: told, and no verdict is certain."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from pydicom import Dataset, dcmread

import header_files
from lesion_measure.calibration import calibrate, calibrate_at
from lesion_measure.job.request import RunRequest
from lesion_measure.pipeline import run
from lesion_measure.records import RESCALED, Derivation
from lesion_measure.studies import load_studies
from lesion_measure.studies.rescaled import derivation
from lesion_measure.verdict.plausible import implausible
from make import lesion, plane
from region_headers import ECG, code, image, region

DERIVED, COMPRESSED = Derivation(derived=True), Derivation(derived=True, compressed=True)


def header(**elements: object) -> Dataset:
    dataset = Dataset()
    for keyword, value in elements.items():
        setattr(dataset, keyword, value)
    return dataset


def coded(value: str, meaning: str) -> list[Dataset]:
    return [header(CodeValue=value, CodingSchemeDesignator="DCM", CodeMeaning=meaning)]


class TestWords:
    @pytest.mark.parametrize(
        "words",
        ["rescaled", "Resized to 1024x768", "image scaled by 2", "Lossy JPEG,\r\nrescaled", "upsampled",
         "down-scaled 50 %", "Spatial resampling", "magnified 2x", "Zoomed", "enlarged twice", "bicubic interpolation",
         "thumbnail", "skaliert", "re-sized", "redimensionado", "x" * 300 + " rescaled"],
    )  # fmt: skip
    def test_of_a_derivation(self, words: str) -> None:
        assert derivation(header(DerivationDescription=words)).rescaled

    @pytest.mark.parametrize("keyword", ["ImageComments", "SeriesDescription", "StudyDescription", "ProtocolName"])
    def test_of_free_text(self, keyword: str) -> None:
        assert derivation(header(**{keyword: "Doe, rescaled"})).rescaled == (f"{keyword} 'rescaled'",)
        assert derivation(header(**{keyword: "enlarged by 2"})).rescaled
        for words in ("enlarged liver", "liver zoom", "enlarged 2 cm node", "enlarged 3 lymph nodes"):
            assert derivation(header(**{keyword: words})).rescaled == ()

    @pytest.mark.parametrize(
        "words",
        ["JPEG 2000 irreversible (lossy) 16:1", "converted to grayscale", "gray-scaled", "scale bar added",
         "not rescaled", "without any resampling", "unscaled", "chroma subsampled 4:2:0", "rescale slope applied",
         "scaling of pixel values", "autoscale off", "de-identified",
         "Lossless RLE compression, compression ratio 2.159", ""],
    )  # fmt: skip
    def test_of_something_else(self, words: str) -> None:
        assert derivation(header(DerivationDescription=words, ImageComments=words)).rescaled == ()

    def test_codes(self) -> None:
        found = derivation(header(DerivationCodeSequence=coded("113085", "Räumliche Neuabtastung")))
        assert found.rescaled == ("DerivationCodeSequence 113085 (spatial resampling)",)
        lossy = derivation(header(DerivationCodeSequence=coded("113040", "Lossy Compression"), ImageType=["DERIVED"]))
        assert lossy == Derivation(derived=True, compressed=True)

    def test_zoom_is_a_scanners_unless_the_image_is_derived_and_not_by_compression(self) -> None:
        assert derivation(header(ImageComments="zoom 2x", ImageType=["DERIVED", "PRIMARY"])).rescaled
        assert derivation(header(ImageComments="zoom 2x", ImageType=["ORIGINAL", "PRIMARY"])).rescaled == ()
        lossy = header(ImageComments="zoom 2x", ImageType=["DERIVED", "PRIMARY"], LossyImageCompression="01")
        assert derivation(lossy).rescaled == ()

    @pytest.mark.parametrize(
        ("elements", "explained"),
        [({"LossyImageCompression": "01"}, True), ({"DerivationDescription": "JPEG quality 75"}, True),
         ({"LossyImageCompression": "00"}, False), ({"DerivationDescription": "edited"}, False)],
    )  # fmt: skip
    def test_compression_explains_derived(self, elements: dict[str, object], explained: bool) -> None:
        found = derivation(header(ImageType=["DERIVED", "SECONDARY"], **elements))
        assert (found.derived, found.compressed) == (True, explained)

    def test_a_file(self, tmp_path: Path) -> None:
        changes = {"ImageType": ["DERIVED", "SECONDARY"], "DerivationDescription": "rescaled for Doe^Jane"}
        warnings = calibrate(header_files.accepted(tmp_path, header_files.image(**changes))).warnings
        (found,) = (warning for warning in warnings if warning.startswith(RESCALED))
        assert "DerivationDescription 'rescaled'" in found
        assert "Doe" not in found


# regions as scanners write them: last row, last column, in (rows, columns)
SCANNERS = [((757, 1009), (768, 1024)), ((518, 800), (600, 800)), ((554, 799), (555, 800)), ((479, 639), (480, 640))]


class TestRegions:
    @pytest.mark.parametrize(("last", "size"), SCANNERS)
    @pytest.mark.parametrize("history", [Derivation(), DERIVED, COMPRESSED])
    def test_as_scanned(self, last: tuple[int, int], size: tuple[int, int], history: Derivation) -> None:
        instance = image(region((38, last[0]), (14, last[1])), rows=size[0], columns=size[1], derivation=history)
        assert (code(calibrate(instance)), calibrate(instance).warnings) == (None, ())

    @pytest.mark.parametrize(("last", "size"), SCANNERS)
    @pytest.mark.parametrize("factor", [1.5, 1.6, 2, 3])
    @pytest.mark.parametrize("history", [DERIVED, COMPRESSED])
    def test_enlarged(self, last: tuple[int, int], size: tuple[int, int], factor: float, history: Derivation) -> None:
        rows, columns = (round(factor * side) for side in size)
        instance = image(region((38, last[0]), (14, last[1])), rows=rows, columns=columns, derivation=history)
        for result in (calibrate(instance), calibrate_at(instance, [(50, 50), (60, 60)])):
            assert [warning.startswith(RESCALED) for warning in result.warnings] == [True]
            assert code(result) is None

    @pytest.mark.parametrize("factor", [1.25, 4 / 3])
    def test_enlarged_a_little_with_regions_to_the_edge(self, factor: float) -> None:
        rows, columns = round(555 * factor), round(800 * factor)
        instance = image(region((75, 554), (184, 799)), rows=rows, columns=columns, derivation=COMPRESSED)
        assert f"{factor:.3g} times as large" in calibrate(instance).warnings[0]

    def test_an_exports_size(self) -> None:
        as_told = {"rows": 768, "columns": 1024}
        to_the_edge = image(region((60, 518), (120, 800)), **as_told, derivation=COMPRESSED)
        assert "as in one of 600 x 800" in calibrate(to_the_edge).warnings[0]
        inside = region((60, 560), (120, 770))
        assert calibrate(image(inside, **as_told, derivation=DERIVED)).warnings
        assert calibrate(image(inside, **as_told, derivation=COMPRESSED)).warnings == ()
        assert calibrate(image(inside, **as_told)).warnings == ()

    def test_a_smaller_screen_whole(self) -> None:
        """Regions of any kind count: here the strip below ends the screen."""
        regions = region((40, 700), (10, 1023)), region((700, 767), (0, 1000), **ECG)
        larger = image(*regions, rows=1536, columns=2048)
        assert "a smaller screen's size" in calibrate(larger).warnings[0]
        assert calibrate(image(*regions, rows=768, columns=1024)).warnings == ()
        assert calibrate(image(*regions, rows=768, columns=1280)).warnings == ()

    def test_half_of_a_dual_image_is_no_sign(self) -> None:
        assert calibrate(image(region((50, 560), (0, 399)), derivation=DERIVED)).warnings == ()

    def test_words_and_no_regions(self) -> None:
        told = Derivation(rescaled=("DerivationDescription 'rescaled'",))
        assert calibrate(image(pixel_spacing=(0.2, 0.3), derivation=told)).warnings[0].startswith(RESCALED)
        assert calibrate(image(pixel_spacing=(0.2, 0.3), derivation=DERIVED)).warnings == ()

    def test_a_secondary_capture_whose_spacing_nobody_vouches_for(self) -> None:
        """A program that makes a new picture may write any PixelSpacing; with regions or a type it says what it is."""
        captured = {"sop_class_uid": "1.2.840.10008.5.1.4.1.1.7", "pixel_spacing": (0.2, 0.2)}
        (warning,) = calibrate(image(**captured)).warnings
        assert warning.startswith(RESCALED)
        assert "its PixelSpacing has no calibration type" in warning
        assert not calibrate(image(pixel_spacing_type="GEOMETRY", **captured)).warnings


def test_no_real_file_is_called_rescaled(shared_dir: Path) -> None:
    """Five of them are derived, all for compression."""
    found = load_studies(shared_dir / "dicom_us" / "us").instances
    assert sum(each.derivation.derived for each in found) == 5
    told = [each.path for each in found if any("rescaled" in w for w in calibrate(each).warnings)]
    assert told == []
    assert [each.path for each in found if each.derivation.rescaled] == []


def test_a_size_on_such_an_image_asks_for_review() -> None:
    odd = replace(plane(), warnings=(f"{RESCALED}: the header says so.",))
    assert [d.refusal.code for d in implausible([lesion(20, planes=(odd,))])] == ["perhaps_rescaled"]
    assert implausible([lesion(20, planes=(plane(),))]) == []


def test_no_verdict_on_such_an_image_is_certain(project_dir: Path, tmp_path: Path) -> None:
    scans = tmp_path / "SIM-04"
    shutil.copytree(project_dir / "sample_dicoms" / "SIM-04", scans)
    lines = (project_dir / "sample_dicoms" / "calipers.csv").read_text("utf-8").splitlines()
    calipers = tmp_path / "calipers.csv"
    calipers.write_text("\n".join(line for line in lines if line[:6] in ("SIM-04", lines[0][:6])), "utf-8")
    for path in scans.rglob("*.dcm"):
        if "baseline" in str(path):
            dataset = dcmread(path)
            dataset.ImageType, dataset.DerivationDescription = ["DERIVED", "SECONDARY"], "rescaled"
            dataset.save_as(path)
    request = RunRequest(input=tmp_path, out=tmp_path.parent / f"{tmp_path.name}-out", calipers=calipers)
    (child,) = run(request).subjects
    assert child.response is not None
    assert not child.response.certain
    assert {refusal.code for refusal in child.review} == {"perhaps_rescaled"}
    for name in ("measurements.csv", "refusals.csv", "report.html"):
        assert RESCALED in (request.out / name).read_text("utf-8"), name
