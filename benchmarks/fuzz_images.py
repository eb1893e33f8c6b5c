"""Coverage-guided fuzzing of ingest, calibration and decoding: ``python benchmarks/fuzz_images.py FOLDER [options]``.

Needs atheris (``pip install atheris``), an engine of libFuzzer's kind that sees which lines of this program an input
reaches. FOLDER keeps the inputs that reached new ones, and is begun with small images in every encoding. An input is a
file as a stranger may send it. It may end as an image, an object or a refusal. Any other exception, more than
``-timeout`` seconds or ``-rss_limit_mb`` is a find, written as ``crash-*``, ``timeout-*`` or ``oom-*``. Options are
libFuzzer's: ``-max_total_time=3600 -rss_limit_mb=2048 -timeout=20 -max_len=20000``.
"""

from __future__ import annotations

import logging
import sys
import tempfile
import warnings
from pathlib import Path

import atheris

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

with atheris.instrument_imports(include=["lesion_measure"]):
    from lesion_measure.calibration import calibrate
    from lesion_measure.config import Config, Limits
    from lesion_measure.dicom.frames import FrameReader
    from lesion_measure.errors import InputError
    from lesion_measure.studies import load_studies

from small_images import small_images

# Bombs are to be told as such, and not to make the search slow.
LIMITS = Limits(
    header_bytes=1 << 20, frame_bytes=1 << 22, zip_member_bytes=1 << 22, zip_total_bytes=1 << 23, object_bytes=1 << 20
)


def once(file: Path, data: bytes) -> None:
    """What a run does with one file, up to its pixels."""
    file.write_bytes(data)
    try:
        studies = load_studies(file, limits=LIMITS)
    except InputError:
        return
    for instance in studies.instances:
        calibrate(instance, Config().calibration)
        try:
            with FrameReader(instance, LIMITS) as reader:
                for frame in {1, reader.frames}:
                    reader.decoded(frame).luminance()
        except InputError:
            continue


def main() -> None:
    """Begin with small images, and search."""
    warnings.simplefilter("ignore")
    logging.disable(logging.CRITICAL)
    corpus = Path(sys.argv[1])
    corpus.mkdir(parents=True, exist_ok=True)
    for name, data in small_images().items():
        (corpus / name).write_bytes(data)
    with tempfile.TemporaryDirectory() as temporary:
        file = Path(temporary) / "file"
        atheris.Setup(sys.argv, lambda data: once(file, data))
        atheris.Fuzz()


if __name__ == "__main__":
    main()
