"""What the house promises about its imports: light commands and lazy names (import-linter checks the rest)."""

from __future__ import annotations

import ast
import statistics
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import lesion_measure


def _modules(code: str) -> set[str]:
    """Modules that are loaded after running ``code`` in a fresh interpreter."""
    script = f"{code}\nimport sys\nprint(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def _imported(code: str) -> set[str]:
    """Top-level packages that are loaded after running ``code`` in a fresh interpreter."""
    return {name.partition(".")[0] for name in _modules(code)}


def test_the_command_line_starts_without_the_heavy_packages() -> None:
    heavy = {"torch", "monai", "numpy", "pydicom", "matplotlib", "scipy", "skimage", "pydantic", "SimpleITK"}
    assert not heavy & _imported("import lesion_measure.cli")


SCIPY_PARTS = {f"scipy.{part}" for part in ("linalg", "ndimage", "optimize", "sparse", "spatial", "special", "stats")}
"""Each takes as long to load as a child by calipers to be measured."""


def test_the_pipeline_starts_without_what_only_some_runs_need() -> None:
    loaded = _modules("import lesion_measure.pipeline, lesion_measure.report")
    heavy = {"torch", "monai", "openvino", "onnxruntime", "SimpleITK", "matplotlib", "pandas", "highdicom"}
    assert not (heavy | SCIPY_PARTS) & loaded


def test_a_run_by_calipers_loads_neither_the_network_nor_simpleitk(project_dir: Path, tmp_path: Path) -> None:
    code = f"""
from pathlib import Path
from lesion_measure.job.request import RunRequest
from lesion_measure.pipeline import run
samples = Path({str(project_dir / "sample_dicoms")!r})
run(RunRequest(input=samples / "SIM-01", out=Path({str(tmp_path / "out")!r}), calipers=samples / "calipers.csv"))
"""
    loaded = _modules(code)
    assert not {"torch", "monai", "openvino", "SimpleITK", "highdicom", "rapidocr", "onnxruntime"} & loaded
    # where the beam has reached takes filters, and `scipy.ndimage` alone has them
    assert SCIPY_PARTS & loaded <= {"scipy.ndimage", "scipy.special"}


def test_a_run_with_the_network_loads_no_torch_where_openvino_computes(project_dir: Path, tmp_path: Path) -> None:
    code = f"""
from pathlib import Path
from lesion_measure.job.request import RunRequest
from lesion_measure.pipeline import run
child = Path({str(project_dir / "sample_dicoms/SIM-01/baseline")!r})
run(RunRequest(input=child, out=Path({str(tmp_path / "out")!r}), backend="openvino", threads=1))
"""
    loaded = _modules(code)
    assert "openvino" in loaded
    assert not {"torch", "monai", "SimpleITK", "highdicom", "rapidocr", "onnxruntime", "onnx"} & loaded
    assert SCIPY_PARTS & loaded <= {"scipy.ndimage", "scipy.special"}


def test_a_command_loads_what_libraries_name_and_no_run_needs_when_it_is_used() -> None:
    late = {"numpy.f2py.crackfortran", "numpy.testing._private", "requests.adapters", "_gdcm"}
    code = "from lesion_measure.batch.late import load_late\nload_late()\nimport pydicom, scipy.ndimage, scipy.special"
    assert not late & _modules(code)
    use = "numpy.testing.assert_allclose(1, 1)\nnumpy.f2py.crackfortran\nimport requests, gdcm"
    without = "from pydicom.pixels.decoders.gdcm import HAVE_GDCM\nassert not HAVE_GDCM"
    assert late <= _modules(f"{code}\nimport numpy\n{use}\n{without}")


def test_the_server_of_processes_is_begun_by_next_to_nothing_and_loads_as_little_as_a_run() -> None:
    assert not {"numpy", "pydantic", "pydicom"} & _imported("import lesion_measure.cli.run, lesion_measure.job.server")
    loaded = _modules("import lesion_measure.job.preloaded")
    assert {"lesion_measure.job.measuring", "pydicom"} <= loaded
    assert not {"numpy.f2py.crackfortran", "numpy.testing._private", "requests.adapters", "_gdcm"} & loaded


def test_torch_computes_without_monai(project_dir: Path) -> None:
    code = f"""
from lesion_measure.network import Segmenter
Segmenter.from_bundle({str(project_dir / "models/liver_us_unet")!r}, backend="torch")
"""
    assert not {"monai", "onnx", "onnxscript", "sympy", "openvino"} & _imported(code)


def test_data_sets_are_read_without_torch() -> None:
    assert not {"torch", "monai"} & _imported("import lesion_measure.lab.datasets")


def test_the_pdf_is_set_by_a_package_that_is_loaded_when_one_is_made() -> None:
    assert "weasyprint" not in _imported("import lesion_measure.report.pdf")


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
        "outlines",
        "percent_change",
        "run",
    }
    assert all(getattr(lesion_measure, name) for name in lesion_measure.__all__)
    assert callable(lesion_measure.calibrate)
    assert not {"numpy", "pydicom"} & _imported("import lesion_measure")


def _public_functions(module: Path) -> Iterator[ast.FunctionDef]:
    """Functions and methods that others may call, those of private classes and modules' own helpers left out."""
    for node in ast.parse(module.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
            yield from (each for each in node.body if isinstance(each, ast.FunctionDef) and each.name[0] != "_")
        elif isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
            yield node


def test_functions_of_five_parameters_and_more_tell_each() -> None:
    house, untold, seen = Path(lesion_measure.__file__).parent, [], 0
    for module in sorted(house.rglob("*.py")):
        if module.is_relative_to(house / "cli"):
            continue  # a command's docstring is its help, and each of its options has a help of its own
        for function in _public_functions(module):
            arguments = function.args
            names = [a.arg for a in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)]
            names = [name for name in names if name not in ("self", "cls")]
            if len(names) < 5:
                continue
            seen += 1
            section = (ast.get_docstring(function) or "").partition("Parameters\n----------\n")[2]
            lines = {name for line in section.splitlines() if line[:1] != " " for name in line.split(", ")}
            if missing := set(names) - lines:
                untold.append((module.name, function.name, missing))
    assert not untold
    assert seen > 40


def test_functions_are_short() -> None:
    """With their docstrings: half of them within 8 lines, none over 60."""
    lines = {}
    for module in Path(lesion_measure.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.end_lineno:
                lines[module.name, node.name, node.lineno] = node.end_lineno - node.lineno + 1
    assert not {where: length for where, length in lines.items() if length > 60}
    assert statistics.median(lines.values()) <= 8
    assert len(lines) > 3000
