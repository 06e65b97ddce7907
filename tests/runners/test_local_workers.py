"""Worker processes of the direct runner: they do the work, and a dead one ends the pipeline instead of stopping it."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import apache_beam as beam
import psutil
import pytest

from lstmlm.errors import UserError
from lstmlm.runners.local_workers import WorkerDied
from lstmlm.runners.pipeline import WriteJson, read_json, run_pipeline
from lstmlm.runners.runner import Runner

PROCESSES = Runner("processes", workers=2)


def test_the_work_is_done_elsewhere_and_nobody_is_left(tmp_path: Path) -> None:
    # Local functions, for they travel by value: a worker finds no test modules to import.
    def with_process(number: int) -> tuple[int, int]:
        return number, os.getpid()

    def build(pipeline: beam.Pipeline) -> object:
        numbers = pipeline | beam.Create(range(50)) | beam.Reshuffle()
        return numbers | beam.Map(with_process) | WriteJson(tmp_path / "found.json")

    run_pipeline(build, PROCESSES)
    found = list(read_json(tmp_path / "found.json"))
    assert [number for number, _ in found] == list(range(50))
    workers = {process for _, process in found}
    assert os.getpid() not in workers
    assert not any(psutil.pid_exists(process) for process in workers)


def test_each_pipelines_workers_have_the_environment_of_their_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def seen(number: int) -> tuple[int, str | None]:
        return number, os.environ.get("LSTMLM_SEEN_BY_WORKERS")

    def build(pipeline: beam.Pipeline) -> object:
        return pipeline | beam.Create([1]) | beam.Map(seen) | WriteJson(tmp_path / "found.json")

    for value in ("first", "second"):
        monkeypatch.setenv("LSTMLM_SEEN_BY_WORKERS", value)
        run_pipeline(build, PROCESSES)
        assert list(read_json(tmp_path / "found.json")) == [[1, value]]


def test_a_worker_that_dies_ends_the_pipeline() -> None:
    def die(number: int) -> int:
        if number == 3:
            os.kill(os.getpid(), signal.SIGKILL)
        return number

    with pytest.raises(WorkerDied, match="exit code -9"):
        run_pipeline(lambda pipeline: pipeline | beam.Create(range(8)) | beam.Map(die), PROCESSES)


def test_what_the_user_must_fix_arrives_from_a_worker() -> None:
    def blame(number: int) -> int:
        raise UserError("a bad number", where=str(number), hint="Take another")

    with pytest.raises(UserError, match="a bad number"):
        run_pipeline(lambda pipeline: pipeline | beam.Create([1]) | beam.Map(blame), PROCESSES)


def test_servers_listen_on_this_machine_only_and_no_proxy_is_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever reaches Beam's servers can send a worker code to run."""
    for name in ("http_proxy", "https_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")  # nobody is there
    monkeypatch.delenv("no_grpc_proxy", raising=False)
    runner = os.getpid()

    def listening(_: int) -> list[str]:
        open_ports = psutil.Process(runner).net_connections(kind="tcp")
        return sorted(
            {port.laddr.ip.removeprefix("::ffff:") for port in open_ports if port.status == psutil.CONN_LISTEN}
        )

    run_pipeline(
        lambda pipeline: pipeline | beam.Create([1]) | beam.Map(listening) | WriteJson(tmp_path / "found.json"),
        PROCESSES,
    )
    assert list(read_json(tmp_path / "found.json")) == [["127.0.0.1"]]
