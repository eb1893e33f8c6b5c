"""OHIF on a PACS with our results: shown right, and read back right.

    npm pack @ohif/app@3.13.2 && tar xzf ohif-app-3.13.2.tgz      # gives package/dist
    pip install playwright                                        # drives Debian's chromium
    PYTHONPATH=.:tests:benchmarks python -m ohif package/dist OUT

Makes results of three sample images (a still, a palette image, a cine), stores images and results in Orthanc, opens
each in the viewer, prints a line for each and writes screenshots to OUT. Then draws a line in the viewer, stores it
there, and measures it with `run`. The stored report is opened in a second session, taken over (hydrated) and stored
again, and `run` measures what both reports say. Needs orthanc, orthanc-dicomweb and chromium of Debian.
"""

from __future__ import annotations

import csv
import json
import math
import shutil
import subprocess
import sys
import tempfile
import threading
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pydicom

from ohif.checks import Plane, lines_off, numbers_shown, overlay_dice
from ohif.site import PORT, serve
from ohif.viewer import Viewer, browser
from orthanc import Orthanc, started

_SAMPLES = Path(__file__).parents[2] / "sample_dicoms"
_MODEL = Path(__file__).parents[2] / "models" / "liver_us_unet"
_IMAGES = {
    "still": "SIM-01/baseline/L1_transverse.dcm",
    "palette": "SIM-05/baseline/L1_sagittal.dcm",
    "cine": "SIM-05/baseline/L1_transverse.dcm",
}
_HOST = {"DicomWeb": {"Enable": True, "Root": "/dicom-web/", "EnableWado": False, "Host": f"127.0.0.1:{PORT}"}}
"""Palettes come by addresses that Orthanc makes: they have to be the viewer's."""
_LINE = ((250.0, 300.0), (290.0, 360.0))


def main(dist: Path, out: Path) -> None:
    """Print a line for each image, and one for the line that was drawn."""
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, _pacs(Path(folder), dist) as pacs:
        for kind, name in _IMAGES.items():
            print(kind, _look(pacs, Path(folder) / kind, _SAMPLES / name, out / kind), sep=": ", flush=True)
            pacs.clear()
        print("drawn:", _draw(pacs, Path(folder) / "drawn", _SAMPLES / _IMAGES["still"], out), flush=True)


@contextmanager
def _pacs(folder: Path, dist: Path) -> Iterator[Orthanc]:
    store = folder / "orthanc"
    store.mkdir()
    with started(store, _HOST) as pacs, pacs.inside():
        site = serve(dist)
        threading.Thread(target=site.serve_forever, daemon=True).start()
        yield pacs
        site.shutdown()


def _look(pacs: Orthanc, work: Path, image: Path, out: Path) -> str:
    scans, results = work / "scans", work / "results"
    scans.mkdir(parents=True)
    shutil.copy(image, scans / image.name)
    _run(scans, results, "--calipers", _calipers(image, work), "--model", _MODEL, "--dicom")
    data = json.loads((results / "results.json").read_text(encoding="utf-8"))
    header = pydicom.dcmread(image, stop_before_pixels=True)
    plane = Plane.of(data["subjects"][0]["lesions"][0]["planes"][0], (header.Rows, header.Columns))
    for file in (image, *sorted((results / "dicom").glob("*.dcm"))):
        pacs.store(file)
    with _viewer(header) as viewer:
        viewer.show("Lesion measurements")
        said, off = numbers_shown(viewer, plane), lines_off(viewer, plane)
        plain = viewer.canvas_picture()
        viewer.picture(out.with_name(f"{out.name}_report.png"))
        viewer.show("Lesion L1")
        viewer.answer_yes()
        dice = overlay_dice(plain, viewer.canvas_picture(), viewer, plane)
        viewer.picture(out.with_name(f"{out.name}_segmentation.png"))
        errors = f"; page errors: {viewer.errors}" if viewer.errors else "; no page error"
    return f"{said} shown, axes within {off:.2f} px, outline Dice {dice:.3f}, frame {plane.frame}{errors}"


def _run(scans: Path, results: Path, *more: str | Path) -> None:
    command = [sys.executable, "-m", "lesion_measure", "run", scans, "-o", results, "--config", "follow_up", *more]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode not in (0, 3):
        raise AssertionError(done.stderr)


def _calipers(image: Path, work: Path) -> Path:
    """The sample's rows of one image, by its file name."""
    head, *rows = (_SAMPLES / "calipers.csv").read_text(encoding="utf-8").splitlines()
    name = str(image.relative_to(_SAMPLES))
    own = [row.replace(name, image.name) for row in rows if row.startswith(f"{name},")]
    file = work / "calipers.csv"
    file.write_text("\n".join([head, *own]) + "\n", encoding="utf-8")
    return file


def _draw(pacs: Orthanc, work: Path, image: Path, out: Path) -> str:
    """Draw a line, store it, take it over in a second session and store it again; measure image and reports."""
    work.mkdir()
    shutil.copy(image, work / image.name)
    pacs.store(image)
    header = pydicom.dcmread(image, stop_before_pixels=True)
    with _viewer(header) as viewer:
        viewer.draw_length(*_LINE, (header.Rows, header.Columns), "L1")
        viewer.picture(out / "drawn.png")
        viewer.store_report("calipers")
    (first,) = _stored_reports(pacs)
    (work / "report.dcm").write_bytes(first)
    once = _measured(work, work.with_name("measured"))
    with _viewer(header) as viewer:
        viewer.show("calipers")
        viewer.answer_yes()
        viewer.open_measurements()
        viewer.picture(out / "hydrated.png")
        viewer.store_report("calipers again")
    (again,) = _stored_reports(pacs) - {first}
    (work / "again.dcm").write_bytes(again)
    both = _measured(work, work.with_name("measured_both"))
    (work / "report.dcm").unlink()
    alone = _measured(work, work.with_name("measured_again"))
    region = header.SequenceOfUltrasoundRegions[0]
    (row, col), (other_row, other_col) = _LINE
    want = 10 * math.hypot((other_row - row) * region.PhysicalDeltaY, (other_col - col) * region.PhysicalDeltaX)
    return (
        f"{want:.3f} mm drawn, {_mm(once)} mm measured; stored again: {_mm(alone)} mm, with both reports "
        f"{_mm(both)} mm; a pixel is {10 * region.PhysicalDeltaX:.3f} mm"
    )


@contextmanager
def _viewer(header: pydicom.Dataset) -> Iterator[Viewer]:
    with browser(shutil.which("chromium") or "chromium") as page:
        yield Viewer(page, header.StudyInstanceUID)


def _measured(scans: Path, results: Path) -> list[float]:
    """The long axis of each lesion that a run finds."""
    _run(scans, results)
    with (results / "measurements.csv").open(newline="", encoding="utf-8") as file:
        return list({row["lesion"]: float(row["long_axis_mm"]) for row in csv.DictReader(file)}.values())


def _mm(lengths: list[float]) -> str:
    return " and ".join(f"{length:.3f}" for length in lengths) or "no"


def _stored_reports(pacs: Orthanc) -> set[bytes]:
    found = pacs.rest("/tools/find", "POST", b'{"Level": "Series", "Query": {"Modality": "SR"}, "Expand": true}')
    reports = set()
    for instance in (one for series in found for one in series["Instances"]):
        with urllib.request.urlopen(f"{pacs.url}/instances/{instance}/file", timeout=60) as answer:
            reports.add(bytes(answer.read()))
    return reports


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
