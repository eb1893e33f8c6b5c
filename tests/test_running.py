"""Running it: one process a folder, what an interruption leaves, output for programs, progress, settings by name."""

from __future__ import annotations

import errno
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import typer
import yaml

from commands import commands
from lesion_measure import pipeline
from lesion_measure.cli import app, bars
from lesion_measure.cli.exits import problem_line
from lesion_measure.errors import WriteError
from lesion_measure.files import locks
from lesion_measure.image import outlines
from lesion_measure.job import measuring
from lesion_measure.job.child import Job
from lesion_measure.job.request import RunRequest
from lesion_measure.records import Refusal, Sight
from lesion_measure.results import document
from test_cli import lesion_measure

PROJECT = Path(__file__).parent.parent
SAMPLES = PROJECT / "sample_dicoms"
CALIPERS = SAMPLES / "calipers.csv"

HOLDER = """
import sys, time
from pathlib import Path
from lesion_measure.files.locks import holding
with holding(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def hold(tmp_path: Path) -> Iterator[Callable[[Path], subprocess.Popen[str]]]:
    """Another process that holds a folder."""
    started: list[subprocess.Popen[str]] = []

    def begin(folder: Path) -> subprocess.Popen[str]:
        words = [sys.executable, "-c", HOLDER, str(folder)]
        other = subprocess.Popen(words, stdout=subprocess.PIPE, text=True, cwd=PROJECT)
        started.append(other)
        assert other.stdout is not None
        assert other.stdout.readline() == "held\n"
        return other

    yield begin
    for other in started:
        other.kill()
        other.wait()


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Results of the samples by calipers."""
    out = tmp_path_factory.mktemp("results") / "out"
    assert lesion_measure("run", SAMPLES, "-o", out, "--calipers", CALIPERS)[0] == 3
    return out


class TestLock:
    def test_a_second_run_is_told_who_holds_the_folder(
        self, tmp_path: Path, hold: Callable[[Path], subprocess.Popen[str]]
    ) -> None:
        other = hold(tmp_path / "out")
        code, out, err = lesion_measure("run", SAMPLES, "-o", tmp_path / "out", "--calipers", CALIPERS)
        assert (code, out) == (4, "")
        assert f"{tmp_path / 'out'}: Another lesion-measure writes into this folder (process {other.pid} on " in err
        assert "Wait for it, or choose another folder." in err
        assert [file.name for file in (tmp_path / "out").iterdir()] == [locks.LOCK]

    @pytest.mark.parametrize(
        "words", [("cohort",), ("export", "--study", "T1"), ("report", "--pdf")], ids=lambda words: words[0]
    )
    def test_so_are_the_commands_that_write_beside_the_results(
        self, results: Path, hold: Callable[[Path], subprocess.Popen[str]], words: tuple[str, ...]
    ) -> None:
        if words[0] == "report":
            pytest.importorskip("reportlab")
        hold(results)
        code, _, err = lesion_measure(words[0], results, *words[1:])
        assert code == 4
        assert "Another lesion-measure writes into this folder" in err

    def test_a_lock_that_a_killed_process_left_holds_nobody_up(
        self, tmp_path: Path, hold: Callable[[Path], subprocess.Popen[str]]
    ) -> None:
        other = hold(tmp_path)
        other.send_signal(signal.SIGKILL)
        other.wait()
        assert (tmp_path / locks.LOCK).is_file()
        with locks.holding(tmp_path):
            assert json.loads((tmp_path / locks.LOCK).read_bytes())["pid"] == os.getpid()
        assert not (tmp_path / locks.LOCK).exists()

    def test_where_the_disk_knows_no_locks_the_named_holder_counts_while_it_lives(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def refuse(*_: object) -> None:
            raise OSError(errno.ENOLCK, "No locks available")

        monkeypatch.setattr(locks.fcntl, "flock", refuse)
        ended = subprocess.Popen([sys.executable, "-c", ""])
        ended.wait()
        mine = locks._self()
        for holder, free in [
            (mine, False),
            (mine | {"pid": ended.pid}, True),
            (mine | {"began": "1"}, True),  # another process has its number now
            (mine | {"pid": ended.pid, "host": "elsewhere"}, False),  # of which nothing is known here
            ({}, True),
            ({"pid": "1"}, True),
        ]:
            (tmp_path / locks.LOCK).write_text(json.dumps(holder))
            if free:
                locks.check_free(tmp_path)
            else:
                with pytest.raises(WriteError, match="Another lesion-measure"):
                    locks.check_free(tmp_path)

    def test_a_training_holds_each_network_that_it_trains(
        self, tmp_path: Path, hold: Callable[[Path], subprocess.Popen[str]]
    ) -> None:
        hold(tmp_path / "new.work" / "prompted")
        code, _, err = lesion_measure("train", "-o", tmp_path / "new", "--config", "smoke")
        assert code == 4
        assert f"{tmp_path / 'new.work' / 'prompted'}: Another lesion-measure" in err


class TestInterrupted:
    @pytest.fixture
    def stopped(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[BaseException, int], str]:
        """Standard error of a run in which an error comes after some outlines are kept."""

        def stop(error: BaseException, kept: int) -> str:
            measure = measuring.measure_child
            made = iter(range(kept + 1))

            def one(child: object, job: Job) -> object:
                if (number := next(made)) == kept:
                    raise error
                with outlines.Outlines(job.request.out).kept_or_made(
                    outlines.kept_name(image=number), lambda keep: keep([(1, [])])
                ):
                    pass
                return measure(child, job)  # type: ignore[arg-type]

            monkeypatch.setattr(measuring, "measure_child", one)
            code, out, err = lesion_measure("run", SAMPLES, "-o", tmp_path / "out", "--calipers", CALIPERS)
            assert code == (4 if isinstance(error, WriteError) else 130)
            assert not out
            assert not (tmp_path / "out" / locks.LOCK).exists()
            return err

        return stop

    def test_ctrl_c_says_what_was_kept_and_how_to_go_on(
        self, stopped: Callable[[BaseException, int], str], tmp_path: Path
    ) -> None:
        err = stopped(KeyboardInterrupt(), 2)
        assert "Interrupted. 8 of 39 images were measured; 2 children and 2 outlines of the network are kept" in err
        assert f"in {tmp_path / 'out'}. The same command goes on from there." in err

    def test_and_that_nothing_was(self, stopped: Callable[[BaseException, int], str]) -> None:
        err = stopped(KeyboardInterrupt(), 0)
        assert "Interrupted. 0 of 39 images were measured; nothing is kept, and the same command begins anew." in err

    def test_so_does_a_full_disk(self, stopped: Callable[[BaseException, int], str]) -> None:
        err = stopped(WriteError("The outline cannot be written: the disk is full."), 1)
        assert "4 of 39 images were measured; 1 child and 1 outline of the network are kept" in err
        assert "the disk is full" in err


class TestForPrograms:
    def test_json_is_one_object_and_nothing_else_on_standard_output(self, tmp_path: Path) -> None:
        out = tmp_path / "out"
        code, stdout, _ = lesion_measure("run", SAMPLES, "-o", out, "--calipers", CALIPERS, "--json")
        found = json.loads(stdout)
        assert (code, found["exit_code"], found["outcome"]) == (3, 3, "needs_review")
        assert found["counts"]["measured"] == 6
        assert found["pages"] == {"report": str(out / "report.html"), "cohort": str(out / "cohort" / "cohort.html")}
        assert found["responses"]["effective"]["subjects"] >= 1
        assert found["problems"][0]["code"] == "no_calibration"
        code, stdout, err = lesion_measure("run", SAMPLES, "-o", out, "--calipers", CALIPERS, "--json")
        failed = json.loads(stdout)
        assert (code, failed["outcome"], failed["exit_code"]) == (2, "failed", 2)
        assert failed["error"]["code"] == "finished_run"
        assert failed["error"]["remedy"] in err

    def test_its_properties_are_the_documented_ones(self, tmp_path: Path) -> None:
        said = (PROJECT / "docs" / "results.md").read_text(encoding="utf-8")
        section = said.partition("## What `run --json` prints\n")[2].partition("\n## ")[0]
        table, _, failing = section.partition("\nA run that fails prints")
        rows = [line.split("|")[1:3] for line in table.splitlines() if line.startswith("| `")]
        documented = {name: _named(meaning) for names, meaning in rows for name in _named(names)}
        words = ("run", SAMPLES, "-o", tmp_path / "out", "--calipers", CALIPERS, "--json")
        found = json.loads(lesion_measure(*words)[1])
        assert set(found) == set(documented)
        assert found["outcome"] in documented["outcome"]
        assert set(found["pages"]) == set(documented["pages"])
        assert all(set(one) == set(documented["responses"]) for one in found["responses"].values())
        assert found["problems"]
        assert all(set(one) == set(documented["problems"]) for one in found["problems"])
        run = json.loads((tmp_path / "out" / "run.json").read_bytes())
        for name in ("counts", "outlines", "seconds"):
            assert found[name].keys() == run[name].keys()
        failed = json.loads(lesion_measure(*words)[1])
        assert failed["outcome"] == "failed"
        assert {*failed, *failed["error"], "failed"} == set(_named(failing))

    @pytest.mark.parametrize("sight", [None, Sight(outlines=(np.zeros((4, 2)),), lines=(((1.0, 2.0), (3.0, 4.0)),))])
    def test_a_problem_whose_picture_the_report_shows_is_told_in_words_alone(self, sight: Sight | None) -> None:
        told = document(Refusal(code="unsure", reason="Unsure.", sight=sight))
        assert json.loads(json.dumps(told))["code"] == "unsure"
        assert "sight" not in told

    def test_quiet_says_nothing_but_errors_and_the_log_says_all(self, tmp_path: Path) -> None:
        out, log = tmp_path / "out", tmp_path / "run.log"
        words = ("run", SAMPLES, "-o", out, "--calipers", CALIPERS, "--quiet", "--log", log)
        assert lesion_measure(*words) == (3, "", "")
        lines = log.read_text(encoding="utf-8").splitlines()
        assert all(line[:4].isdigit() and line[10] == "T" for line in lines)
        assert any("no UltrasoundRegions" in line or "There are no ultrasound regions" in line for line in lines)
        assert any("Subjects      6 subjects" in line for line in lines)
        code, stdout, err = lesion_measure(*words)
        assert (code, stdout) == (2, "")
        assert "finished run" in err
        assert len(log.read_text(encoding="utf-8").splitlines()) > len(lines)

    def test_a_standard_output_on_a_full_disk_is_no_traceback(self, tmp_path: Path) -> None:
        if not Path("/dev/full").exists():
            pytest.skip("this system has no /dev/full")
        with Path("/dev/full").open("w") as full:
            done = subprocess.run(
                [sys.executable, "-m", "lesion_measure", "config", "default"], stdout=full, stderr=subprocess.PIPE,
                text=True, check=False, cwd=PROJECT,
            )  # fmt: skip
        assert (done.returncode, done.stderr) == (
            4,
            f"lesion-measure: standard output cannot be written: {os.strerror(errno.ENOSPC)}.\n",
        )


def _named(text: str) -> list[str]:
    """The words between backquotes."""
    return text.split("`")[1::2]


class TestProgress:
    def test_the_time_left_is_told_from_the_first_image_on(self) -> None:
        now = [100.0]
        pace = bars.Pace(clock=lambda: now[0])
        assert pace.left(0, 40) == ""
        now[0] += 30
        assert pace.left(1, 40) == "2.0 a minute, about 20 min left"
        now[0] += 30
        assert pace.left(2, 40) == "2.0 a minute, about 19 min left"
        assert pace.left(40, 40) == ""

    def test_without_a_terminal_a_line_comes_every_so_often_and_short_commands_say_nothing(self) -> None:
        now, lines = [0.0], []
        plain = bars.PlainLines(lines.append, "images", clock=lambda: now[0])
        for done in range(101):
            plain.track("measuring", done, 100)
            now[0] += 1
        assert lines == [
            "measuring: 30 of 100 images, 60.0 a minute, about 1 min left",
            "measuring: 60 of 100 images, 60.0 a minute, about 1 min left",
            "measuring: 90 of 100 images, 60.0 a minute, less than a minute left",
        ]

    def test_a_run_counts_images(self, tmp_path: Path) -> None:
        seen: list[tuple[str, int, int]] = []
        request = RunRequest(input=SAMPLES / "SIM-01", out=tmp_path / "out", calipers=CALIPERS)
        pipeline.run(request, lambda *told: seen.append(told))
        assert seen == [("measuring", done, 4) for done in range(5)]


class TestTexts:
    """Texts are shown as they were written: no bracket is taken for markup."""

    @pytest.mark.parametrize("name", [None, *sorted(commands())])
    def test_every_help_says_every_word(self, name: str | None) -> None:
        group = typer.main.get_command(app)
        command = group if name is None else commands()[name]
        code, out, _ = lesion_measure(*(name.split() if name else []), "--help")
        assert code == 0
        shown = _squeezed(out)
        texts = [command.help, command.epilog, *(getattr(one, "help", None) for one in command.params)]
        for text in filter(None, texts):
            assert _squeezed(text) in shown
        for one in command.params:
            if one.param_type_name == "option":
                assert one.opts[0] in out

    def test_a_problem_with_brackets_is_told_whole(self) -> None:
        refusal = Refusal(code="x", reason="pip install 'lesion-measure[pdf]' [/bold] [red].", remedy="[see] this.")
        assert problem_line(refusal) == "pip install 'lesion-measure[pdf]' [/bold] [red]. [see] this."

    def test_no_text_of_ours_is_printed_as_markup(self) -> None:
        source = Path(bars.__file__).read_text(encoding="utf-8")
        assert source.count("TextColumn(") == source.count("markup=False") - source.count("console.print(")


def _squeezed(text: str) -> str:
    return "".join(text.split())


class TestByName:
    def test_settings_are_found_by_name_and_printed(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        assert {"default", "nct04406870", "recist_adult", "smoke", "train"} <= {
            line.split()[0] for line in lesion_measure("config")[1].splitlines()
        }
        printed = yaml.safe_load(lesion_measure("config", "nct04406870")[1])
        assert printed == yaml.safe_load((PROJECT / "configs" / "nct04406870.yaml").read_text(encoding="utf-8"))
        monkeypatch.chdir(tmp_path)  # where no configs/ lie
        words = ("run", SAMPLES, "--calipers", CALIPERS, "--config")
        assert lesion_measure(*words, "nct04406870", "-o", "named")[0] == 3
        assert lesion_measure(*words, PROJECT / "configs" / "nct04406870.yaml", "-o", "file")[0] == 3
        named, given = (json.loads((tmp_path / out / "run.json").read_text()) for out in ("named", "file"))
        assert named["config_sha256"] == given["config_sha256"]

    def test_a_file_of_that_name_comes_first(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(tmp_path)
        (tmp_path / "default").write_text("nonsense: 1\n")
        code, _, err = lesion_measure("run", SAMPLES, "-o", "out", "--calipers", CALIPERS, "--config", "default")
        assert code == 2
        assert "'nonsense' does not exist" in err

    def test_a_name_that_is_none_is_answered_with_the_nearest(self) -> None:
        for command, wrong, right in (("config", "recist_adlt", "recist_adult"), ("help", "caliper", "calipers")):
            code, out, err = lesion_measure(command, wrong)
            assert (code, out) == (2, "")
            assert f"Did you mean '{right}'?" in err

    def test_every_page_that_a_message_names_is_there(self) -> None:
        import re

        package = PROJECT / "lesion_measure"
        named = {
            topic
            for path in package.rglob("*.py")
            for topic in re.findall(r"lesion-measure help (\w+)", path.read_text(encoding="utf-8"))
        }
        assert len(named) > 8
        for topic in named:
            assert lesion_measure("help", topic)[0] == 0, topic
        assert lesion_measure("help", "calipers")[1].startswith("# Caliper files")


class TestThreads:
    def test_they_wait_asleep_unless_the_user_says_otherwise(self) -> None:
        code = "import os; from lesion_measure.cli import main\ntry: main()\nexcept SystemExit: pass\n"
        code += "print(os.environ['OMP_WAIT_POLICY'])"
        for given, expected in (({}, "PASSIVE"), ({"OMP_WAIT_POLICY": "ACTIVE"}, "ACTIVE")):
            environment = {name: value for name, value in os.environ.items() if name != "OMP_WAIT_POLICY"} | given
            done = subprocess.run(
                [sys.executable, "-c", code, "--version"], env=environment, capture_output=True, text=True, check=True,
                cwd=PROJECT,
            )  # fmt: skip
            assert done.stdout.splitlines()[-1] == expected

    def test_results_do_not_depend_on_them_and_overwriting_repeats_no_work_of_the_network(self, tmp_path: Path) -> None:
        tables = {}
        for threads in (1, 2):
            out = tmp_path / f"out{threads}"
            words = [sys.executable, "-m", "lesion_measure", "run", str(SAMPLES / "SIM-01"), "-o", str(out), "--json"]
            words += ["--model", "liver_us_unet", "--calipers", str(CALIPERS), "--threads", str(threads)]
            done = subprocess.run(words, capture_output=True, text=True, check=False, cwd=PROJECT)
            assert json.loads(done.stdout)["outlines"]["made"] > 4
            kept = sorted((out / outlines.SEGMENTATIONS).iterdir())
            tables[threads] = {
                file.name: file.read_bytes() for file in (*out.glob("*.csv"), out / "results.json", *kept)
            }
        assert tables[1] == tables[2]
        begun = time.monotonic()
        again = subprocess.run([*words, "--overwrite"], capture_output=True, text=True, check=False, cwd=PROJECT)
        assert time.monotonic() - begun < 120
        said = json.loads(again.stdout)
        assert said["outlines"]["made"] == 0
        assert said["children"] == {"measured": 0, "reused": 1}
        texts = {name: data for name, data in tables[2].items() if not outlines.is_kept(name)}
        assert len(texts) > 5
        assert {name: (out / name).read_bytes() for name in texts} == texts
