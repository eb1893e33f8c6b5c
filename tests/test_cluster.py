"""Work on a Dask cluster of this machine: the same results, and what its workers' deaths cost."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, ClassVar

import pytest

from lesion_measure.batch import Lost
from lesion_measure.batch.cluster import on_cluster
from lesion_measure.errors import ClusterError, ModelError
from lesion_measure.job import measuring
from lesion_measure.job.measuring import Setting, prepare_elsewhere
from lesion_measure.job.request import RunRequest
from sample_runs import SAMPLES, sample_run, tables
from shared_work import Sum, adding, failing, give_up
from test_cli import lesion_measure

distributed = pytest.importorskip("distributed")

WAIT_S = 60.0


@pytest.fixture(scope="module")
def scheduler(project_dir: Path) -> Iterator[str]:
    """Two workers of one thread each, which listen on this machine alone."""
    import dask

    with (
        dask.config.set({"distributed.scheduler.allowed-failures": 0}),  # else each death is tried four times
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, host="127.0.0.1", dashboard_address=None, silence_logs=50
        ) as cluster,
    ):
        yield cluster.scheduler_address


def sums(scheduler: str, tasks: list[Sum], lost: list[Lost[Sum]]) -> list[int]:
    found = on_cluster(adding, tasks, scheduler, lambda part: None, lambda each: give_up(each, lost), WAIT_S)
    return [result for _, result in sorted(found)]


def within_20_s(done: Callable[[], bool]) -> None:
    until = time.monotonic() + 20
    while not done():
        assert time.monotonic() < until
        time.sleep(0.02)


class TestCluster:
    def test_it_gives_what_one_process_gives_and_tells_of_parts(self, scheduler: str) -> None:
        told: list[str] = []
        tasks = [Sum((number, 10)) for number in range(20)]
        found = on_cluster(adding, tasks, scheduler, told.append, lambda lost: lost.task, WAIT_S)
        assert [result for _, result in sorted(found)] == [number + 10 for number in range(20)]
        assert {"", "10"} <= set(told) <= {"", *map(str, range(20))}

    def test_a_worker_that_is_killed_costs_the_part_that_it_was_at(self, scheduler: str) -> None:
        lost: list[Lost[Sum]] = []
        tasks = [Sum((1,)), Sum((2, 3, 4), deadly=(3,), after_s=1), *(Sum((number,)) for number in range(5, 12))]
        assert sums(scheduler, tasks, lost) == [1, 6, *range(5, 12)]
        assert [each.part for each in lost] == ["3"]

    def test_a_worker_that_dies_while_it_computes_a_result_anew_is_a_loss(
        self, scheduler: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Dask says so where the result is asked for: it was done, and its worker was gone."""
        whole, asked = distributed.Future.result, []

        def killed(future: Any, timeout: float | None = None) -> Any:
            asked.append(future.key)
            if len(asked) == 1:
                raise distributed.KilledWorker(future.key, None, 0)
            return whole(future, timeout)

        monkeypatch.setattr(distributed.Future, "result", killed)
        assert sums(scheduler, [Sum((1,)), Sum((2,))], []) == [1, 2]
        assert len(asked) == 3

    def test_an_error_there_is_the_runs(self, scheduler: str) -> None:
        with pytest.raises(ModelError, match="damaged"):
            list(on_cluster(failing, [Sum((1,))], scheduler, lambda part: None, lambda lost: lost.task, WAIT_S))

    def test_where_nobody_listens_it_is_said(self, tmp_path: Path) -> None:
        code, _, err = lesion_measure("run", SAMPLES, "-o", tmp_path / "out", "--scheduler", "tcp://127.0.0.1:9")
        assert code == 4
        assert "No scheduler answers at tcp://127.0.0.1:9" in err


class TestNoWorkerLeft:
    """A cluster of one worker, which goes while tasks wait."""

    TASKS: ClassVar = [Sum((number,)) for number in range(10)]

    @pytest.fixture(autouse=True)
    def looks_often(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("lesion_measure.batch.cluster._LOOK_S", 0.2)

    @pytest.fixture
    def cluster(self) -> Iterator[Any]:
        with distributed.LocalCluster(
            n_workers=1, threads_per_worker=1, host="127.0.0.1", dashboard_address=None,
            silence_logs=50,
        ) as cluster:  # fmt: skip
            yield cluster

    def begun(self, cluster: Any, wait_s: float) -> Iterator[tuple[int, int]]:
        address = cluster.scheduler_address
        found = on_cluster(adding, self.TASKS, address, lambda part: None, lambda lost: lost.task, wait_s)
        assert next(found) == (0, 0)
        within_20_s(lambda: [task.state for task in cluster.scheduler.tasks.values()].count("memory") == 3)
        cluster.scale(0)
        within_20_s(lambda: not cluster.scheduler.workers)
        time.sleep(0.5)  # our client has heard that results were lost which were done and not yet taken
        return found

    def test_the_run_ends_with_the_reason_after_the_time_that_it_may_wait(self, cluster: Any) -> None:
        found = self.begun(cluster, 1.0)
        begun = time.monotonic()
        with pytest.raises(ClusterError, match="no worker for 1 seconds") as caught:
            list(found)
        assert caught.value.code == "no_worker"
        assert "what was measured is kept" in caught.value.remedy
        assert 1.0 <= time.monotonic() - begun < 20

    def test_a_scheduler_that_no_longer_answers_ends_the_run_too(
        self, cluster: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Its machine lost power, or the network is cut: nothing closes the connection."""

        async def silent(**_: Any) -> None:
            await asyncio.Event().wait()

        found = self.begun(cluster, 3.0)
        monkeypatch.setitem(cluster.scheduler.handlers, "ncores", silent)
        with pytest.raises(ClusterError, match="not answered for 3 seconds") as caught:
            list(found)
        assert caught.value.code == "no_scheduler"

    def test_it_goes_on_where_one_comes_back_in_time(self, cluster: Any) -> None:
        found = self.begun(cluster, WAIT_S)
        cluster.scale(1)
        assert sorted(found) == [(number, number) for number in range(1, 10)]


class TestRuns:
    def test_tables_are_those_of_one_process_to_the_byte(
        self, scheduler: str, one_process: Path, tmp_path: Path
    ) -> None:
        assert tables(sample_run(tmp_path / "out", "--scheduler", scheduler)) == tables(one_process)


class TestWorkers:
    def test_another_version_or_a_folder_that_is_not_there_is_refused(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        program = {"source": "0" * 64, "numpy": "2.0"}
        monkeypatch.setattr(measuring, "this_program", lambda: program)
        request = RunRequest(input=tmp_path / "scans", out=tmp_path)
        setting = Setting(request=request, bundle=None, made_by="", names=None, program={**program, "numpy": "1.0"})
        with pytest.raises(ClusterError, match=r"another numpy than this program \(2\.0, and not 1\.0\)"):
            prepare_elsewhere(setting)
        setting = Setting(request=request, bundle=None, made_by="", names=None, program=program)
        with pytest.raises(ClusterError, match="does not find scans"):
            prepare_elsewhere(setting)
