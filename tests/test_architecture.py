"""What the house promises about its imports: light commands and lazy names (import-linter checks the rest)."""

from __future__ import annotations

import subprocess
import sys

import lesion_measure


def _imported(code: str) -> set[str]:
    """Top-level packages that are loaded after running ``code`` in a fresh interpreter."""
    script = f"{code}\nimport sys\nprint(*sorted({{name.partition('.')[0] for name in sys.modules}}))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_the_command_line_starts_without_the_heavy_packages() -> None:
    heavy = {"torch", "monai", "numpy", "pydicom", "matplotlib", "scipy", "skimage", "pydantic", "SimpleITK"}
    assert not heavy & _imported("import lesion_measure.cli")


def test_the_pipeline_starts_without_torch() -> None:
    assert not {"torch", "monai"} & _imported("import lesion_measure.pipeline, lesion_measure.report")


def test_the_pdf_is_set_by_a_package_that_is_loaded_when_one_is_made() -> None:
    assert "reportlab" not in _imported("import lesion_measure.report.pdf")


def test_public_names_are_there_and_load_when_they_are_used() -> None:
    assert set(lesion_measure.__all__) == {
        "Config",
        "LesionMeasureError",
        "Result",
        "Segmenter",
        "__version__",
        "calibrate",
        "ellipsoid_volume_ml",
        "load_studies",
        "measure_mask",
        "measure_volume",
        "percent_change",
        "run",
    }
    assert all(getattr(lesion_measure, name) for name in lesion_measure.__all__)
    assert callable(lesion_measure.calibrate)
    assert not {"numpy", "pydicom"} & _imported("import lesion_measure")
