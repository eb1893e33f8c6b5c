"""The command line as its users meet it: output, exit codes, help, speed."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest
from pydicom import dcmread
from typer.testing import CliRunner

from lesion_measure.cli import app, main
from lesion_measure.cli.exits import problem_line
from lesion_measure.lab.phantom import simulate_trial
from lesion_measure.records import Refusal

CONFIGS = Path(__file__).parent.parent / "configs"
EPIQ = "JPGLosslessP14SV1_1s_1f_8b.dcm"
CX50 = [
    "OBXXXX1A.dcm",
    "OBXXXX1A_2frame.dcm",
    "OBXXXX1A_expb_2frame.dcm",
    "OBXXXX1A_rle.dcm",
    "OBXXXX1A_rle_2frame.dcm",
]


def lesion_measure(*words: object) -> tuple[int, str, str]:
    """Exit code, standard output and standard error of one command."""
    done = CliRunner().invoke(app, [str(word) for word in words])
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    return done.exit_code, done.stdout, done.stderr


def ruler(file: Path, start: str, end: str, *more: str) -> tuple[int, dict[str, object]]:
    """Exit code and answer of the ruler."""
    code, out, _ = lesion_measure("ruler", file, "--from", start, "--to", end, "--json", *more)
    return code, json.loads(out)


@pytest.fixture(scope="module")
def trial(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One simulated child."""
    folder = tmp_path_factory.mktemp("trial")
    simulate_trial(folder, subjects=1, seed=3, overwrite=True)
    return folder


class TestRuler:
    def test_printed_caliper_of_the_epiq_image(self, shared_dir: Path) -> None:
        """3.33 cm: printed 3.3 cm on the screen, 3.33 cm in a DICOM viewer."""
        code, answer = ruler(shared_dir / "dicom_us" / "us" / EPIQ, "629.5,319.5", "689.5,435.5")
        assert code == 0
        assert answer["length_mm"] == pytest.approx(33.3, rel=0.01)
        assert answer["spacing_mm"] == pytest.approx([0.254767, 0.254767], rel=1e-5)
        assert answer["refusal"] is None

    @pytest.mark.parametrize("name", CX50)
    def test_printed_caliper_of_the_cx50_image_in_all_encodings(self, shared_dir: Path, name: str) -> None:
        code, answer = ruler(shared_dir / "dicom_us" / "us" / name, "458.5,289.5", "497.5,300.5")
        assert code == 0
        assert answer["length_mm"] == pytest.approx(10.63, rel=0.01)

    def test_a_point_outside_every_region_is_refused(self, shared_dir: Path) -> None:
        code, answer = ruler(shared_dir / "dicom_us" / "us" / CX50[0], "20,20", "497.5,300.5")
        assert code == 3
        assert (answer["length_mm"], answer["spacing_mm"], answer["source"]) == (None, None, None)
        assert answer["refusal"]["code"] == "outside_region"  # type: ignore[index]

    def test_frames_are_counted_from_one(self, shared_dir: Path) -> None:
        file = shared_dir / "dicom_us" / "us" / CX50[1]
        assert ruler(file, "458,289", "497,300", "--frame", "2")[0] == 0
        code, answer = ruler(file, "458,289", "497,300", "--frame", "3")
        assert (code, answer["length_mm"]) == (3, None)
        assert "There is no frame 3; the image has 2" in answer["refusal"]["reason"]  # type: ignore[index]

    def test_points_that_coincide_are_refused(self, trial: Path) -> None:
        code, answer = ruler(next(trial.glob("dicom/*/*/*.dcm")), "320,240", "320,240")
        assert (code, answer["length_mm"]) == (3, None)
        assert answer["refusal"]["code"] == "caliper"  # type: ignore[index]

    def test_a_zip_is_measured_where_it_holds_one_image(self, trial: Path, tmp_path: Path) -> None:
        one, two = sorted(trial.glob("dicom/*/*/*.dcm"))[:2]
        single, double, none = tmp_path / "one.zip", tmp_path / "two.zip", tmp_path / "none.zip"
        for archive, files in ((single, [one]), (double, [one, two]), (none, [])):
            with zipfile.ZipFile(archive, "w") as target:
                target.writestr("README", "hello")
                for file in files:
                    target.write(file, file.name)
        assert ruler(single, "320,240", "330,240")[0] == 0
        code, answer = ruler(double, "320,240", "330,240")
        assert (code, answer["refusal"]["code"]) == (3, "several_images")  # type: ignore[index]
        code, answer = ruler(none, "320,240", "330,240")
        assert (code, answer["refusal"]["code"]) == (3, "not_dicom")  # type: ignore[index]

    def test_negative_coordinates_are_coordinates_and_no_option(self, trial: Path) -> None:
        code, answer = ruler(next(trial.glob("dicom/*/*/*.dcm")), "-1,5", "320,240")
        assert (code, answer["refusal"]["code"]) == (3, "outside_image")  # type: ignore[index]

    def test_a_file_that_is_no_dicom_is_refused(self, tmp_path: Path) -> None:
        file = tmp_path / "a.txt"
        file.write_text("hello")
        code, answer = ruler(file, "1,1", "2,2")
        assert code == 3
        assert answer["refusal"]["code"] == "not_dicom"  # type: ignore[index]

    @pytest.mark.parametrize("point", ["1", "1,2,3", "a,b", "nan,1", ""])
    def test_a_point_that_is_none_is_a_usage_error(self, trial: Path, point: str) -> None:
        file = next(trial.glob("dicom/*/*/*.dcm"))
        assert lesion_measure("ruler", file, "--from", point, "--to", "1,1")[0] == 2


class TestInspect:
    def test_every_real_file_is_listed_calibrated_or_refused(self, shared_dir: Path) -> None:
        folder = shared_dir / "dicom_us" / "us"
        code, out, _ = lesion_measure("inspect", folder, "--json")
        entries = json.loads(out)["instances"]
        assert code == 0
        assert {e["path"] for e in entries} == {p.name for p in folder.iterdir()}
        for entry in entries:
            assert (entry["spacing_mm"] is None) == (entry["refusal"] is not None)
            if entry["refusal"]:
                assert all(entry["refusal"][key] for key in ("code", "reason", "remedy"))

    def test_what_is_unclear_about_visits_names_file_and_subject(self, trial: Path) -> None:
        _, out, _ = lesion_measure("inspect", next(trial.glob("dicom/*/*/*.dcm")), "--json")
        (unclear,) = json.loads(out)["visits"]
        assert (unclear["code"], unclear["subject"], unclear["path"]) == ("missing_visit", "SIM-001", None)

    def test_people_get_a_list(self, trial: Path) -> None:
        code, out, _ = lesion_measure("inspect", trial)
        assert code == 0
        assert "one month" in out
        assert "from ultrasound region" in out
        assert "truth.csv" not in out  # the program's own

    def test_a_folder_that_does_not_exist_is_a_usage_error(self, tmp_path: Path) -> None:
        assert lesion_measure("inspect", tmp_path / "none")[0] == 2

    @pytest.mark.parametrize("options", [(), ("--json",)])
    def test_where_nothing_can_be_measured_the_exit_code_says_so(self, tmp_path: Path, options: tuple[str]) -> None:
        (tmp_path / "notes.txt").write_text("hello")
        code, out, _ = lesion_measure("inspect", tmp_path, *options)
        assert code == 1
        assert "notes.txt" in out  # the list is there all the same

    def test_one_image_with_a_scale_is_enough(self, trial: Path, tmp_path: Path) -> None:
        image = next(trial.glob("dicom/*/*/*.dcm"))
        data = dcmread(image)
        del data.SequenceOfUltrasoundRegions
        data.SOPInstanceUID = data.file_meta.MediaStorageSOPInstanceUID = "2.25.77"
        data.save_as(tmp_path / "no_scale.dcm")
        assert lesion_measure("inspect", tmp_path)[0] == 1
        (tmp_path / "with_scale.dcm").write_bytes(image.read_bytes())
        assert lesion_measure("inspect", tmp_path)[0] == 0


class TestRun:
    def test_by_calipers(self, trial: Path, tmp_path: Path) -> None:
        out = tmp_path / "out"
        code, stdout, _ = lesion_measure("run", trial, "-o", out, "--calipers", trial / "calipers.csv")
        assert code == 0
        assert (out / "report.html").is_file()
        assert str(out / "report.html") in stdout
        finished = (out / "run.json").read_bytes()
        (out / "run.json").unlink()
        for command in (("cohort",), ("readers",), ("export", "--study", "T1")):
            code, stdout, err = lesion_measure(*command, out)
            assert (code, stdout) == (1, "")
            assert "The run did not finish" in err
        assert not (out / "cohort").exists()
        (out / "run.json").write_bytes(finished)
        code, _, err = lesion_measure("run", trial, "-o", out, "--calipers", trial / "calipers.csv")
        assert code == 2
        assert "--overwrite" in err
        assert lesion_measure("run", trial, "-o", out, "--calipers", trial / "calipers.csv", "--overwrite")[0] == 0

    def test_the_simulated_subjects_meet_the_entry_criteria_and_a_wrong_form_is_said(
        self, trial: Path, tmp_path: Path
    ) -> None:
        calipers, subjects = trial / "calipers.csv", trial / "subjects.csv"
        words = ("run", trial, "--calipers", calipers, "--config", CONFIGS / "nct04406870.yaml", "--subjects")
        code, _, err = lesion_measure(*words, subjects, "-o", tmp_path / "out")
        assert (code, err) == (0, "")
        (child,) = json.loads((tmp_path / "out" / "results.json").read_text())["subjects"]
        met = {criterion["name"]: criterion["met"] for criterion in child["entry"]}
        assert met["age at baseline"] == met["no hepatoblastoma"] == met["no missing data"] == "met"
        form, other = child["disease"]["form"], {"focal": "multifocal", "multifocal": "focal"}[child["disease"]["form"]]
        wrong = tmp_path / "subjects.csv"
        wrong.write_text(subjects.read_text().replace(f",{form},", f",{other},"))
        code, _, err = lesion_measure(*words, wrong, "-o", tmp_path / "wrong")
        assert code == 0
        assert f"SIM-001: warning: the subjects table calls the disease {other}, but" in err

    def test_nothing_measured_is_1(self, trial: Path, tmp_path: Path) -> None:
        empty = tmp_path / "calipers.csv"
        empty.write_text((trial / "calipers.csv").read_text().splitlines()[0] + "\n")
        code, _, _ = lesion_measure("run", trial, "-o", tmp_path / "out", "--calipers", empty)
        assert code == 1
        assert (tmp_path / "out" / "refusals.csv").is_file()

    @pytest.mark.parametrize(
        ("option", "text", "complaint"),
        [
            ("--config", "visit: 3", "'visit'"),
            ("--manifest", "path,visit\na,baseline\n", "column 'subject' is missing"),
            ("--calipers", "image\na.dcm\n", "is missing"),
        ],
    )
    def test_a_table_or_setting_that_is_wrong_is_a_usage_error(
        self, trial: Path, tmp_path: Path, option: str, text: str, complaint: str
    ) -> None:
        file = tmp_path / "file.csv"
        file.write_text(text)
        code, _, err = lesion_measure("run", trial, "-o", tmp_path / "out", option, file)
        assert code == 2
        assert complaint in err
        assert not (tmp_path / "out").exists()

    def test_a_model_that_is_not_there_is_a_usage_error(self, trial: Path, tmp_path: Path) -> None:
        code, _, err = lesion_measure("run", trial, "-o", tmp_path / "out", "--model", tmp_path / "none")
        assert code == 2
        assert f"There is no model bundle '{tmp_path / 'none'}'. Give the path" in err
        assert "or measure with --calipers" in err
        assert not (tmp_path / "out").exists()


class TestWhatIsNotThere:
    """Our own words, the file's name and what would help, where the library would show how the command is used."""

    @pytest.mark.parametrize("option", ["--calipers", "--manifest", "--subjects", "--labs", "--config"])
    def test_of_every_table(self, trial: Path, tmp_path: Path, option: str) -> None:
        code, out, err = lesion_measure("run", trial, "-o", tmp_path / "out", option, tmp_path / "none.csv")
        assert (code, out) == (2, "")
        assert err.startswith(f"lesion-measure: {tmp_path / 'none.csv'}: There is no such ")
        assert "'lesion-measure help " in err or "'lesion-measure config'" in err
        assert "Usage" not in err
        assert not (tmp_path / "out").exists()

    def test_the_nearest_name_is_shown(self, trial: Path, tmp_path: Path) -> None:
        code, _, err = lesion_measure("run", trial, "-o", tmp_path / "out", "--calipers", trial / "caliper.csv")
        assert code == 2
        assert f"Did you mean '{trial / 'calipers.csv'}'?" in err

    def test_nor_is_the_folder(self, trial: Path, tmp_path: Path) -> None:
        _, _, err = lesion_measure("run", trial, "-o", tmp_path / "out", "--calipers", tmp_path / "no" / "c.csv")
        assert f"no folder '{tmp_path / 'no'}'" in err

    def test_a_folder_is_no_file_and_a_file_no_folder(self, trial: Path, tmp_path: Path) -> None:
        _, _, err = lesion_measure("run", trial, "-o", tmp_path / "out", "--manifest", trial)
        assert "This is a folder, and the manifest should be a file." in err
        code, _, err = lesion_measure("cohort", trial / "calipers.csv")
        assert code == 2
        assert "This is a file, and the results folder should be a folder." in err
        assert "lesion-measure run" in err

    @pytest.mark.parametrize(
        "words",
        [
            ["run", "{}", "-o", "out"], ["inspect", "{}"], ["ruler", "{}", "--from", "1,2", "--to", "3,4"],
            ["data", "{}"], ["train", "{}", "-o", "out"], ["evaluate", "{}"], ["export", "{}", "--study", "S"],
            ["readers", "{}"],
            ["report", "{}", "--pdf"],
        ],
        ids=lambda words: words[0],
    )  # fmt: skip
    def test_every_command_says_so(self, tmp_path: Path, words: list[str]) -> None:
        code, _, err = lesion_measure(*(word.format(tmp_path / "none") for word in words))
        assert code == 2
        assert err.startswith(f"lesion-measure: {tmp_path / 'none'}: There is no such ")
        assert "Usage" not in err

    def test_the_programs_tables_are_not_listed_as_files_that_are_no_images(self, trial: Path, tmp_path: Path) -> None:
        given = ("--calipers", trial / "calipers.csv")
        lesion_measure("run", trial, "-o", tmp_path / "out", *given)
        refused = (tmp_path / "out" / "refusals.csv").read_text(encoding="utf-8")
        assert "calipers.csv" not in refused
        assert "visits.csv" not in refused
        assert "truth.csv" not in refused


class TestWithoutError:
    """Readers who never err are right for simulated pictures alone, so that is said wherever it is asked for."""

    def test_a_run_whose_readers_never_err_says_so(self, trial: Path, tmp_path: Path) -> None:
        config = tmp_path / "perfect.yaml"
        config.write_text("uncertainty:\n  repeatability:\n    diameter_cv: 0\n    source: perfect\n")
        words = ("run", trial, "-o", tmp_path / "out", "--calipers", trial / "calipers.csv")
        _, _, err = lesion_measure(*words, "--config", config)
        warning = "Readers are taken to measure without error (uncertainty.repeatability: diameter_cv 0)"
        assert f"Warning: {warning}" in err
        assert warning in (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
        _, _, err = lesion_measure(*words, "--overwrite")
        assert "Warning" not in err
        assert "without error" not in (tmp_path / "out" / "report.html").read_text(encoding="utf-8")

    def test_simulated_readers_without_error_are_called_identical(self, tmp_path: Path) -> None:
        words = ("simulate", tmp_path / "trial", "--subjects", 1, "--seed", 1, "--overwrite")
        assert "2 readers are identical" in lesion_measure(*words, "--readers", 2)[1]
        assert (tmp_path / "trial" / "calipers.csv").is_file()
        for more in (("--readers", 2, "--reader-cv", 0.05), ("--readers", 1)):
            assert "identical" not in lesion_measure(*words, *more)[1]


class TestHelp:
    def test_no_more_children_are_excluded_than_there_are(self, tmp_path: Path) -> None:
        words = ("simulate", tmp_path / "trial", "--subjects", 1, "--seed", 1)
        code, _, err = lesion_measure(*words, "--excluded", 2)
        assert code == 2
        assert "--excluded" in err
        assert not (tmp_path / "trial").exists()

    @pytest.mark.parametrize("command", ["run", "inspect", "ruler", "simulate", "train"])
    def test_every_command_shows_an_example(self, command: str) -> None:
        code, out, _ = lesion_measure(command, "--help")
        assert code == 0
        assert f"lesion-measure {command}" in out.split("Example")[-1]

    def test_help_answers_at_once(self) -> None:
        """Less than 0.4 s of processor time, best of three: other tests run beside this one and lengthen the wall's."""

        def seconds() -> float:
            before = resource.getrusage(resource.RUSAGE_CHILDREN)
            subprocess.run([sys.executable, "-m", "lesion_measure", "--help"], capture_output=True, check=True)
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
            return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

        assert min(seconds() for _ in range(3)) < 0.4

    def test_the_version_is_told(self) -> None:
        assert lesion_measure("--version")[1].startswith("lesion-measure 0.")


def test_a_refusal_of_no_place_begins_with_its_reason() -> None:
    refusal = Refusal(code="x", reason="None fits.", remedy="Look.")
    assert problem_line(refusal) == "None fits. Look."
    assert problem_line(replace(refusal, path="a.csv", subject="S1")) == "S1, a.csv: None fits. Look."


@pytest.mark.parametrize("words", [["", "-o", "out"], ["scans", "--out="]])
def test_an_empty_argument_is_not_the_current_folder(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path, words: list[str]
) -> None:
    """As of `lesion-measure run "$SCANS"` where SCANS is not set."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.argv", ["lesion-measure", "run", *words])
    with pytest.raises(SystemExit) as left:
        main()
    assert left.value.code == 2
    assert "An argument is empty" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())
