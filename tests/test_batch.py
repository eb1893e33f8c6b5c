"""Work shared out to processes: which results come, what is told meanwhile, and what a killed process costs."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from lesion_measure.batch import Lost, measure_here, processes
from lesion_measure.batch.processes import Processes, in_processes
from lesion_measure.batch.work import Prepare
from lesion_measure.config import Config
from lesion_measure.errors import InputError, ModelError
from lesion_measure.job import places
from lesion_measure.job.measuring import ChildTask, Measurer, Setting, without_lost
from lesion_measure.job.request import RunRequest
from lesion_measure.pipeline import run
from lesion_measure.records import SubjectVisits
from sample_runs import CALIPERS, SAMPLES, sample_run, tables
from shared_work import (
    Sum,
    adding,
    adding_once_noted,
    closing,
    dying,
    failing,
    failing_unmakeably,
    failing_unsendably,
    give_up,
    telling_itself,
    telling_threads,
)

PROJECT = Path(__file__).parent.parent


def sums(tasks: Sequence[Sum], jobs: int, seen: list[Lost[Sum]] | None = None) -> tuple[list[int], list[str]]:
    told: list[str] = []
    found = in_processes(adding, tasks, jobs, told.append, partial(give_up, seen=[] if seen is None else seen))
    return [result for _, result in sorted(found)], told


class TestProcesses:
    @pytest.mark.parametrize("jobs", [1, 2, 5])
    def test_they_give_what_one_process_gives(self, jobs: int) -> None:
        tasks = [Sum((number, 10)) for number in range(4)]
        here = [result for _, result in measure_here(adding, tasks, lambda part: None)]
        assert here == [10, 11, 12, 13]
        found, told = sums(tasks, jobs)
        assert found == here
        assert (told.count(""), told.count("10")) == (8, 4)

    def test_a_task_whose_process_is_killed_once_is_done_again(self, tmp_path: Path) -> None:
        lost: list[Lost[Sum]] = []
        found, _ = sums([Sum((1,)), Sum((2, 3), once=tmp_path / "killed"), Sum((4,))], 2, lost)
        assert found == [1, 5, 4]
        assert not lost

    def test_what_kills_twice_is_named_and_left_out_and_costs_nothing_else(self) -> None:
        lost: list[Lost[Sum]] = []
        tasks = [Sum((1,)), Sum((2, 3, 4, 5), deadly=(3, 5)), Sum((6,)), Sum((7,))]
        found, _ = sums(tasks, 2, lost)
        assert found == [1, 6, 6, 7]
        assert [each.part for each in lost] == ["3", "5"]
        assert {each.how for each in lost} == {"was killed (SIGKILL, as systems do where memory runs out)"}

    def test_an_error_in_a_process_is_the_runs(self) -> None:
        with pytest.raises(ModelError, match="damaged") as raised:
            list(in_processes(failing, [Sum((1,))], 1, lambda part: None, lambda lost: lost.task))
        assert (raised.value.remedy, raised.value.path) == ("Copy it anew.", "model.pt")

    @pytest.mark.parametrize(
        ("work", "said"),
        [(failing_unsendably, "UnsendableError: no way"), (failing_unmakeably, "UnmakeableError: nowhere else")],
    )
    def test_an_error_that_cannot_be_sent_is_told(self, work: Prepare[Sum, int], said: str) -> None:
        with pytest.raises(RuntimeError, match=said):
            list(in_processes(work, [Sum((1,))], 1, lambda part: None, lambda lost: lost.task))

    def test_a_process_that_closes_its_pipe_and_goes_on_is_killed(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(processes, "_GRACE_S", 0.1)
        tasks = [Sum((1,), deadly=(1,)), Sum((2,))]
        lost: list[str] = []

        def give_up(each: Lost[Sum]) -> Sum:
            lost.append(each.how)
            return replace(each.task, deadly=())

        found = in_processes(closing, tasks, 1, lambda part: None, give_up)
        assert sorted(found) == [(0, 1), (1, 2)]
        assert lost == ["closed its pipe, did not end, and was killed by us"]

    def test_each_takes_one_thread_and_this_process_as_many_as_before(self) -> None:
        names = ["OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "ITK_GLOBAL_DEFAULT_NUMBER_OF_THREADS"]
        before = [os.environ.get(name) for name in names]
        found = in_processes(telling_threads, names, 1, lambda part: None, lambda lost: lost.task)
        assert [value for _, value in found] == ["1", "1", "1"]
        assert [os.environ.get(name) for name in names] == before

    def test_the_same_ones_do_one_round_after_another(self) -> None:
        with Processes(telling_itself, 2) as begun:
            rounds = [
                {pid for _, pid in begun.results(["a", "b"], lambda part: None, lambda lost: lost.task)} for _ in "123"
            ]
        assert len(set[int]().union(*rounds)) <= 2

    def test_they_prepare_while_the_tasks_are_gathered(self, tmp_path: Path) -> None:
        with Processes(partial(adding_once_noted, tmp_path / "prepared"), 1) as begun:
            until = time.monotonic() + 60
            while not (tmp_path / "prepared").exists():
                assert time.monotonic() < until
                time.sleep(0.01)
            assert list(begun.results([Sum((1, 2))], lambda part: None, lambda lost: lost.task)) == [(0, 3)]

    def test_one_that_dies_before_it_has_anything_to_do_costs_nothing(self) -> None:
        with Processes(adding, 2) as begun:
            for worker in begun._workers:
                worker.process.kill()
                worker.process.join()
            found = begun.results([Sum((1,)), Sum((2,)), Sum((3,))], lambda part: None, lambda lost: lost.task)
            assert sorted(found) == [(0, 1), (1, 2), (2, 3)]

    def test_work_whose_processes_always_die_ends(self) -> None:
        """They were begun anew for ever, whatever was left out of their tasks."""
        given_up: list[Lost[Sum]] = []
        with pytest.raises(InputError, match="Each process that is begun for this work was killed") as caught:
            list(in_processes(dying, [Sum((1,))], 1, lambda part: None, partial(give_up, seen=given_up)))
        assert caught.value.code == "lost_process"
        assert [lost.part for lost in given_up] == [""]

    def test_whoever_stops_asking_ends_them(self) -> None:
        results = in_processes(adding, [Sum((number,)) for number in range(50)], 2, lambda part: None, lambda x: x.task)
        next(results)
        results.close()  # type: ignore[attr-defined]
        assert not children_of(os.getpid())


def children_of(pid: int) -> list[int]:
    """Processes that work for a process; the server that they come from ends with it by itself."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            command = stat.read_bytes().decode(errors="replace")
            parent = int((stat.parent / "stat").read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue
        if "multiprocessing.forkserver" in command and parent != pid:
            grandparent = Path(f"/proc/{parent}/stat").read_text().rpartition(")")[2].split()[1]
            found += [int(stat.parent.name)] if int(grandparent) == pid else []
    return found


class TestRuns:
    def test_tables_are_the_same_to_the_byte_however_many_processes_measure(
        self, one_process: Path, tmp_path: Path
    ) -> None:
        assert tables(sample_run(tmp_path / "out", "--jobs", 3)) == tables(one_process)

    def test_images_of_all_processes_are_counted(self, tmp_path: Path) -> None:
        told: list[tuple[str, int, int]] = []
        run(
            RunRequest(input=SAMPLES, out=tmp_path / "out", config=Config(), calipers=CALIPERS, jobs=2),
            lambda *step: told.append(step),
        )
        assert told == [("measuring", number, 39) for number in range(40)]

    def test_ctrl_c_ends_them_all(self, tmp_path: Path) -> None:
        code = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        code += "import lesion_measure.pipeline as p; real = p.run\n"
        code += "p.run = lambda request, t: real(request, lambda *step: (print(*step, flush=True), t(*step)))\n"
        code += "from lesion_measure.cli import main; main()"
        words = [sys.executable, "-c", code, "run", str(SAMPLES), "-o", str(tmp_path / "out"), "--jobs", "2"]
        process = subprocess.Popen(
            [*words, "--calipers", str(CALIPERS)],
            cwd=PROJECT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert process.stdout is not None
        assert any("measuring 2" in line for line in process.stdout)  # which ends with the process
        workers = children_of(process.pid)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=60)
        assert process.returncode == 130
        assert "of 39 images were measured" in err
        assert workers
        until = time.monotonic() + 60
        while any(Path(f"/proc/{pid}").exists() for pid in workers):
            assert time.monotonic() < until
            time.sleep(0.02)


class TestLost:
    def task(self, **values: str) -> ChildTask:
        child = SubjectVisits(subject="S1", visits={}, sources={})
        return replace(ChildTask(child=child, calipers={}, labels={}, enrolled=None, doubts=()), **values)

    def test_an_image_that_cost_a_process_twice_is_left_out_of_its_child(self) -> None:
        task = without_lost(Lost(self.task(), "1.2.3", "was killed"))
        assert (task.killed, task.lost) == ({"1.2.3": "The process that measured it was killed, twice."}, "")

    def test_a_child_that_no_image_explains_is_refused_with_the_reason(self, tmp_path: Path) -> None:
        task = without_lost(Lost(self.task(), "", "was killed"))
        setting = Setting(request=RunRequest(input=tmp_path, out=tmp_path), bundle=None, made_by="", names=None)
        found = Measurer(setting, lambda: None)(task, lambda part: None)
        assert found.row is None
        assert found.refusal is not None
        assert (found.refusal.code, found.refusal.subject) == ("process_killed", "S1")
        assert "was killed, twice." in found.refusal.reason


class TestHowMany:
    @pytest.mark.parametrize(
        ("asked", "children", "network", "expected"),
        [
            (None, 1, False, 1),
            (4, 2, False, 2),
            (4, 9, True, 4),
            (1, 9_000, True, 1),
            (None, 9_000, False, 8),
            (3, 0, False, 1),
        ],
    )  # fmt: skip
    def test_as_many_as_asked_for_else_as_pay(
        self, monkeypatch: pytest.MonkeyPatch, asked: int | None, children: int, network: bool, expected: int
    ) -> None:
        monkeypatch.setattr(places, "usable_processors", lambda: 8)

        class WithImage:
            images = (None,)

        request = RunRequest(input=Path(), out=Path(), jobs=asked)
        tasks = [WithImage()] * children
        assert places.jobs_for(tasks, request, network=network) == expected  # type: ignore[arg-type]


def test_a_script_that_guards_nothing_runs_once(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(
        "from lesion_measure import run\nprint('begun', flush=True)\n"
        f"print(len(run({str(SAMPLES)!r}, calipers={str(CALIPERS)!r}, jobs=2)))\n"
    )
    done = subprocess.run([sys.executable, script], cwd=PROJECT, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["begun", "6"]
