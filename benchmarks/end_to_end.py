"""Runs with the network against the pipeline that one writes first: ``python benchmarks/end_to_end.py [--rounds 5]``.

Inputs: 24 JPEG stills of 768 x 1024 pixels; a JPEG cine of 120 frames of that size; the samples. Measured are processor
seconds of whole processes on one thread, one after the other within a round. Printed are medians and their ratios, as
docs/speed.md shows them. ``--old FOLDER`` adds an older checkout of this project on the samples.
"""

from __future__ import annotations

import argparse
import io
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from as_a_user import PROJECT, surroundings
from numpy.typing import NDArray
from PIL import Image
from pydicom import Dataset, dcmread
from pydicom.encaps import encapsulate
from pydicom.uid import JPEGBaseline8Bit, generate_uid

SAMPLES = PROJECT / "sample_dicoms"
MODEL = PROJECT / "models" / "liver_us_unet"
SIZE = (1024, 768)
ALL_FRAMES = "segment:\n  cine_frames: all\n"


def stills(out: Path, number: int) -> None:
    """Frames of the samples, enlarged, as JPEG."""
    sources = [path for path in sorted(SAMPLES.rglob("*.dcm")) if "uncalibrated" not in path.name]
    single = [data for path in sources if (data := dcmread(path)).get("NumberOfFrames", 1) == 1]
    for index, data in enumerate(single[:number]):
        write(out / f"still{index:02}.dcm", data, [data.pixel_array])


def cine(out: Path, frames: int) -> None:
    """The samples' cine there and back again until it is long enough."""
    data = dcmread(SAMPLES / "SIM-05/baseline/L1_transverse.dcm")
    pictures = list(data.pixel_array)
    loop = pictures + pictures[-2:0:-1]
    write(out / "cine.dcm", data, [loop[number % len(loop)] for number in range(frames)])


def write(path: Path, data: Dataset, frames: Sequence[NDArray[np.generic]]) -> None:
    """A copy of an image with other pixels, of `SIZE`, its scale changed with them."""
    factor = SIZE[0] / data.Columns, SIZE[1] / data.Rows
    for region in data.SequenceOfUltrasoundRegions:
        region.PhysicalDeltaX, region.PhysicalDeltaY = (
            region.PhysicalDeltaX / factor[0], region.PhysicalDeltaY / factor[1],
        )  # fmt: skip
        for name, share in (("X0", factor[0]), ("X1", factor[0]), ("Y0", factor[1]), ("Y1", factor[1])):
            keyword = f"RegionLocationM{'in' if name[1] == '0' else 'ax'}{name}"
            setattr(region, keyword, min(int(getattr(region, keyword) * share), SIZE["XY".index(name[0])] - 1))
    data.SOPInstanceUID = data.file_meta.MediaStorageSOPInstanceUID = generate_uid(entropy_srcs=[path.name])
    data.Columns, data.Rows = SIZE
    data.SamplesPerPixel, data.PhotometricInterpretation, data.PlanarConfiguration = 3, "YBR_FULL_422", 0
    data.BitsAllocated = data.BitsStored = 8
    data.HighBit, data.PixelRepresentation = 7, 0
    data.file_meta.TransferSyntaxUID = JPEGBaseline8Bit
    for keyword in [name for name in data.dir("Palette") if name in data]:
        del data[keyword]
    if len(frames) > 1:
        data.NumberOfFrames = len(frames)
    data.PixelData = encapsulate([jpeg(frame) for frame in frames])
    data["PixelData"].is_undefined_length = True
    path.parent.mkdir(parents=True, exist_ok=True)
    data.save_as(path)


def jpeg(frame: NDArray[np.generic]) -> bytes:
    buffer = io.BytesIO()
    picture = Image.fromarray(np.asarray(frame, dtype=np.uint8)).convert("RGB").resize(SIZE, Image.Resampling.BILINEAR)
    picture.save(buffer, "JPEG", quality=85)
    data = buffer.getvalue()
    return data + b"\0" * (len(data) % 2)


def processor_seconds(words: Sequence[object], folder: Path = PROJECT) -> float:
    """Of a process and all that it starts, on one thread."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(
        [sys.executable, *map(str, words)], cwd=folder, env=surroundings(folder), capture_output=True, check=False
    )
    if done.returncode not in (0, 1, 3):  # 1 and 3: nothing accepted, something to review
        raise RuntimeError(done.stderr.decode()[-2000:])
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def ours(inputs: Path, out: Path, *more: object) -> list[object]:
    """Our run on one thread, in one process."""
    words = ["-m", "lesion_measure", "run", inputs, "-o", out, "--overwrite", "--quiet", "--model", MODEL]
    return [*words, "--threads", 1, *more]


def ways(folder: Path, old: Path | None) -> Iterator[tuple[str, str, list[object], Path]]:
    """Input, name, command, and folder of each way to be timed; the first of an input is what others are against."""
    every = folder / "all.yaml"
    every.write_text(ALL_FRAMES)
    first = PROJECT / "benchmarks" / "straightforward.py"
    one = ("--jobs", 1)
    for name in ("stills", "cine"):
        inputs, out = folder / name, folder / f"out-{name}"
        yield name, "straightforward", [first, inputs, MODEL], PROJECT
        full = ("--config", every) if name == "cine" else ()
        for backend in ("torch", "openvino"):
            whole = ours(inputs, out.with_name(f"{out.name}-{backend}"), "--backend", backend, *one, *full)
            yield name, f"{backend}{', all frames' if full else ''}", whole, PROJECT
        if full:
            fine = ours(inputs, out.with_name(f"{out.name}-fine"), "--backend", "openvino", *one)
            yield name, "openvino, coarse to fine", fine, PROJECT
    if old is not None:
        own = old / "models" / MODEL.name  # an older version may not read a bundle of today
        plain = ["-m", "lesion_measure", "run", SAMPLES, "-o", folder / "out-old", "--model", own]
        yield "samples", "older checkout", plain, old
    for backend in ("torch", "openvino"):
        yield "samples", backend, ours(SAMPLES, folder / f"out-{backend}", "--backend", backend, *one), PROJECT


def main() -> None:
    """Print the table."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--rounds", type=int, default=5)
    options.add_argument("--old", type=Path, help="checkout of an older version, for the samples")
    given = options.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        stills(folder / "stills", 24)
        cine(folder / "cine", 120)
        todo = list(ways(folder, given.old))
        taken: list[list[float]] = [[] for _ in todo]
        for number in range(given.rounds):
            for place, (_, _, words, where) in enumerate(todo):
                taken[place].append(processor_seconds(words, where))
                print(f"round {number + 1}, {todo[place][:2]}: {taken[place][-1]:.2f} s", file=sys.stderr, flush=True)
                for out in folder.glob("out-*"):  # or the next round would use the outlines that are kept there
                    shutil.rmtree(out)
    print("| input | way | processor seconds | against the first |\n|---|---|---|---|")
    against: dict[str, float] = {}
    for (inputs, way, _, _), each in zip(todo, taken, strict=True):
        seconds = statistics.median(each)
        first = against.setdefault(inputs, seconds)
        print(f"| {inputs} | {way} | {seconds:.2f} | {first / seconds:.2f}x |")


if __name__ == "__main__":
    main()
