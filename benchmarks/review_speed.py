"""How fast a reading room of 200 children and 20,000 frames answers, and how much memory its server takes.

    python benchmarks/review_speed.py [--children 200] [--browsed 10]

The children are copies of one simulated cine under new UIDs, in a temporary folder. ``--browsed`` of them have cines of
768 x 1024 pixels: JPEG and RLE in colour, RLE and uncompressed in grey. All of their frames are asked for one after the
other, without a pause, as by a cine that plays as fast as it can. Nothing else may run on the machine.
"""

from __future__ import annotations

import argparse
import io
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pydicom
from numpy.typing import NDArray
from PIL import Image
from pydicom.encaps import encapsulate
from pydicom.pixels import pixel_array
from pydicom.pixels.encoders import RLELosslessEncoder
from pydicom.uid import ExplicitVRLittleEndian, JPEGBaseline8Bit, RLELossless, generate_uid
from review_server import running

from lesion_measure.review import png

SAMPLE = Path(__file__).resolve().parent.parent / "sample_dicoms" / "SIM-05" / "baseline" / "L1_transverse.dcm"
FRAMES, VISITS = 25, ("baseline", "one_month")
UNLIKE = 5
"""Frames of a cine that differ; they come again and again."""
LARGE, SMALL = (768, 1024), (480, 640)
DWELL_S = 4.0
"""How long a frame is looked at before a click: a reader's pace, and time for the network to look ahead."""
Pixels = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Kind:
    """How the frames of a cine are stored."""

    colour: bool
    syntax: str
    quality: int = 88


JPEG_COLOUR, JPEG_SMALL = Kind(True, JPEGBaseline8Bit), Kind(True, JPEGBaseline8Bit, 40)
KINDS = (JPEG_COLOUR, Kind(True, RLELossless), Kind(False, RLELossless), Kind(False, ExplicitVRLittleEndian))
"""Those of a child that is browsed."""


def pictures(size: tuple[int, int]) -> list[Pixels]:
    """Frames (rows, columns, 3) in the colours of a screen, that differ a little."""
    frames = pixel_array(SAMPLE)[:UNLIKE]  # which turns their colours into RGB
    return [np.asarray(Image.fromarray(frame).resize(size[::-1], Image.Resampling.BICUBIC)) for frame in frames]


def template(size: tuple[int, int], kind: Kind) -> pydicom.Dataset:
    """One cine in this kind, whose UIDs and names are to be replaced."""
    dataset = pydicom.dcmread(SAMPLE)
    shapes = pictures(size) if kind.colour else [frame[..., 1].copy() for frame in pictures(size)]
    dataset.NumberOfFrames = FRAMES
    dataset.Rows, dataset.Columns = size
    dataset.SamplesPerPixel = 3 if kind.colour else 1
    dataset.PhotometricInterpretation = "MONOCHROME2"
    if kind.colour:
        dataset.PlanarConfiguration = 0
        dataset.PhotometricInterpretation = "YBR_FULL_422" if kind.syntax == JPEGBaseline8Bit else "RGB"
    else:
        del dataset.PlanarConfiguration
    region, factor = dataset.SequenceOfUltrasoundRegions[0], size[0] / SMALL[0]
    for name in ("MinX0", "MinY0", "MaxX1", "MaxY1"):
        setattr(region, f"RegionLocation{name}", int(getattr(region, f"RegionLocation{name}") * factor))
    region.PhysicalDeltaX, region.PhysicalDeltaY = region.PhysicalDeltaX / factor, region.PhysicalDeltaY / factor
    dataset.file_meta.TransferSyntaxUID = kind.syntax
    stored = [_stored(frame, dataset, kind) for frame in shapes]
    whole = [stored[number % UNLIKE] for number in range(FRAMES)]
    packed = kind.syntax != ExplicitVRLittleEndian
    dataset.PixelData = encapsulate(whole) if packed else b"".join(whole)
    dataset["PixelData"].is_undefined_length = packed
    dataset["PixelData"].VR = "OB"
    return dataset


def _stored(frame: Pixels, dataset: pydicom.Dataset, kind: Kind) -> bytes:
    if kind.syntax == JPEGBaseline8Bit:
        buffer = io.BytesIO()
        Image.fromarray(frame).save(buffer, "jpeg", quality=kind.quality, subsampling="4:2:2")
        return buffer.getvalue() + b"\0" * (buffer.tell() % 2)
    if kind.syntax == RLELossless:
        return RLELosslessEncoder.encode(frame, encoding_plugin="pydicom", **_described(dataset))
    return frame.tobytes()


def _described(dataset: pydicom.Dataset) -> dict[str, Any]:
    planar = {"planar_configuration": 0} if dataset.SamplesPerPixel > 1 else {}
    return planar | {
        "rows": dataset.Rows,
        "columns": dataset.Columns,
        "samples_per_pixel": dataset.SamplesPerPixel,
        "number_of_frames": 1,
        "bits_allocated": 8,
        "bits_stored": 8,
        "pixel_representation": 0,
        "photometric_interpretation": dataset.PhotometricInterpretation,
    }


def write_children(folder: Path, children: int, browsed: int) -> None:
    """Children of two visits with two cines each, the first ``browsed`` of them large."""
    large = [template(LARGE, kind) for kind in KINDS]
    small = [template(SMALL, JPEG_SMALL)] * len(KINDS)
    for child in range(children):
        subject = f"C{child + 1:03d}"
        for number, dataset in enumerate(large if child < browsed else small):
            visit = VISITS[number // 2]
            dataset.PatientID = dataset.ClinicalTrialSubjectID = subject
            dataset.PatientName = f"Simulated^{subject}"
            dataset.ClinicalTrialTimePointID = visit
            dataset.StudyDate = "20240105" if visit == VISITS[0] else "20240205"
            dataset.StudyInstanceUID = generate_uid(entropy_srcs=[subject, visit])
            dataset.SeriesInstanceUID = generate_uid(entropy_srcs=[subject, str(number), "series"])
            uid = generate_uid(entropy_srcs=[subject, str(number), "image"])
            dataset.SOPInstanceUID = dataset.file_meta.MediaStorageSOPInstanceUID = uid
            path = folder / subject / f"{number}.dcm"
            path.parent.mkdir(exist_ok=True)
            dataset.save_as(path, enforce_file_format=True)


class Timed:
    """Asks the server, and keeps how long each answer took."""

    def __init__(self, client: httpx.Client) -> None:
        self._client = client

    def get(self, path: str) -> tuple[httpx.Response, float]:
        """The answer and its milliseconds."""
        return self._asked(lambda: self._client.get(path))

    def post(self, path: str, body: dict[str, Any]) -> tuple[dict[str, Any], float]:
        """The answer's content and its milliseconds."""
        answer, took = self._asked(lambda: self._client.post(path, json=body))
        told: dict[str, Any] = answer.json()
        return told, took

    def _asked(self, ask: Callable[[], httpx.Response]) -> tuple[httpx.Response, float]:
        begun = time.perf_counter()
        answer = ask()
        took = 1000 * (time.perf_counter() - begun)
        answer.raise_for_status()
        return answer, took


def pack() -> None:
    """Our PNGs beside those of Pillow."""

    def by_pillow(frame: Pixels, level: int) -> bytes:
        buffer = io.BytesIO()
        Image.fromarray(frame).save(buffer, "png", compress_level=level)
        return buffer.getvalue()

    colour = pictures(LARGE)[0]
    for name, frame in (("colour", colour), ("grey", colour[..., 1].copy())):
        for who, make in (
            ("ours", png.encode),
            ("Pillow, level 1", partial(by_pillow, level=1)),
            ("Pillow, level 6", partial(by_pillow, level=6)),
        ):
            begun = time.process_time()
            sizes = [len(make(frame)) for _ in range(5)]
            print(f"PNG, {name}, {who}: {200 * (time.process_time() - begun):.0f} ms, {sizes[0] // 1000} kB")


def memory_mb(pid: int) -> float:
    """Resident memory of a process."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    return int(next(line for line in status.splitlines() if line.startswith("VmRSS")).split()[1]) / 1000


def tell(what: str, took: list[float]) -> None:
    """Median, 95th percentile and greatest of some times."""
    middle, late, most = np.percentile(took, [50, 95, 100])
    print(f"{what}: median {middle:.0f} ms, p95 {late:.0f} ms, most {most:.0f} ms (n = {len(took)})", flush=True)


def browsed_images(ask: Timed, cases: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """The images of cases, each case asked for as the page does."""
    for case in cases:
        for visit in ask.get(f"/api/cases/{case['id']}")[0].json()["visits"]:
            yield from visit["images"]


def browse(ask: Timed, images: list[dict[str, Any]], pid: int) -> None:
    """Every frame of every image, one after the other."""
    took: list[list[float]] = []
    after_100 = 0.0
    for place, image in enumerate(images):
        took.append([ask.get(f"/api/images/{image['id']}/frames/{n + 1}.png")[1] for n in range(image["frames"])])
        if place == len(KINDS) - 1:
            after_100 = memory_mb(pid)
    after = memory_mb(pid)
    tell("frame, first of a cine", [times[0] for times in took])
    tell("frame, next one", [one for times in took for one in times[1:]])
    for place, name in enumerate(("JPEG colour", "RLE colour", "RLE grey", "uncompressed grey")):
        tell(f"    {name}", [one for times in took[place :: len(KINDS)] for one in times[1:]])
    print(
        f"memory after {len(KINDS) * FRAMES} frames {after_100:.0f} MB, after {sum(map(len, took))} frames "
        f"{after:.0f} MB ({100 * (after / after_100 - 1):+.1f} %)"
    )


def measure(ask: Timed, images: list[dict[str, Any]]) -> None:
    """Calipers and contours on images that were seen."""
    angles = np.linspace(0, 2 * np.pi, 300, endpoint=False)

    def caliper(k: int) -> dict[str, Any]:
        return {"long": [[380.0, 480.0], [420.0 + k, 560.0]], "short": [[370.0, 540.0], [430.0, 500.0]]}

    def contour(k: int) -> dict[str, Any]:
        return {"contour": [[400 + (40 + k) * np.sin(a), 512 + 50 * np.cos(a)] for a in angles]}

    for name, drawing in (("caliper", caliper), ("contour of 300 points", contour)):
        first, later = [], []
        for image in images[:8]:
            for k in range(8):
                told, took = ask.post("/api/measure", {"image": image["id"], "frame": 1, **drawing(k)})
                assert told["refusal"] is None, told
                (later if k else first).append(took)
        tell(f"measure, first {name} of an image", first)
        tell(f"measure, {name}", later)


def outline(ask: Timed, images: list[dict[str, Any]]) -> None:
    """The network, on frames that were just shown and on frames that were looked at for a while."""
    prompts = {
        "calipers": {"long": [[360.0, 470.0], [440.0, 570.0]]},
        "box": {"box": [350.0, 460.0, 450.0, 580.0]},
        "click": {"click": [400.0, 520.0]},
    }
    for name, prompt in prompts.items():
        for dwell in (DWELL_S, 0.0) if name == "click" else (DWELL_S,):
            took, found = [], 0
            for image in images[:8]:
                ask.get(f"/api/images/{image['id']}/frames/{7 if dwell else 17}.png")
                time.sleep(dwell)
                asked = {"image": image["id"], "frame": 7 if dwell else 17, **prompt}
                told, one = ask.post("/api/outline", asked)
                found += told["contour"] is not None
                took.append(one)
            tell(f"outline by {name}, {dwell:.0f} s after the frame was shown ({found} found)", took)


def edit(ask: Timed, case: dict[str, Any]) -> None:
    """Keep a reading, and ask for the child's result, as each edit does."""
    images = list(browsed_images(ask, [case]))
    kept, results = [], []
    for number in range(12):
        draft = {
            "image": images[number % len(images)]["id"],
            "frame": 1 + number,
            "lesion": f"L{1 + number // len(images)}",
            "kind": "caliper",
            "long": [[380.0, 480.0], [420.0 + number, 560.0]],
        }
        kept.append(ask.post(f"/api/cases/{case['id']}/readings", draft)[1])
        results.append(ask.get(f"/api/cases/{case['id']}/result")[1])
    tell("keep a reading", kept)
    tell("the child's result after it", results[1:])


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--children", type=int, default=200)
    parser.add_argument("--browsed", type=int, default=10)
    options = parser.parse_args()
    pack()
    with tempfile.TemporaryDirectory() as temporary:
        scans, out = Path(temporary) / "scans", Path(temporary) / "out"
        scans.mkdir()
        write_children(scans, options.children, options.browsed)
        begun = time.perf_counter()
        with running(scans, out) as (process, client):
            ask = Timed(client)
            print(f"server ready after {time.perf_counter() - begun:.1f} s")
            lists = [ask.get("/api/worklist") for _ in range(5)]
            cases = lists[0][0].json()["cases"]
            print(f"{len(cases)} children")
            tell("worklist", [took for _, took in lists])
            images = list(browsed_images(ask, cases[: options.browsed]))
            ask.post("/api/outline", {"image": images[0]["id"], "frame": 1, "click": [400.0, 520.0]})
            print(f"network answers after {time.perf_counter() - begun:.1f} s; memory {memory_mb(process.pid):.0f} MB")
            browse(ask, images, process.pid)
            measure(ask, images)
            outline(ask, images)
            edit(ask, cases[0])
            print(f"memory at the end {memory_mb(process.pid):.0f} MB")


if __name__ == "__main__":
    main()
