"""Who submits what when: a run has one job at a time."""

from __future__ import annotations

import shlex
import signal
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from lstmlm.errors import UserError
from lstmlm.jobs.follow import follow
from lstmlm.jobs.server import JobServer
from lstmlm.jobs.submission import Started, Submission, start_or_attach, stop

if TYPE_CHECKING:
    from tests.jobs.conftest import MakeSubmission


def until(file: Path, code: int = 0) -> str:
    """A command that ends when a file appears."""
    return f"while ! test -e {shlex.quote(str(file))}; do sleep 0.1; done; exit {code}"


def nothing(text: str) -> None:
    """Shows nothing."""


def test_an_id_follows_from_run_stage_and_attempt() -> None:
    first = Submission("demo", "a", "train", "content", "true")
    assert first.job(1) == Submission("demo", "a", "train", "other", "false").job(1)
    others = [Submission("demo", "b", "train", "content", "true").job(1), first.job(2)]
    others.append(Submission("demo", "a", "", "content", "true").job(1))
    assert len({first.job(1), *others}) == 4
    assert first.job(1).startswith("demo-")


@pytest.mark.ray
@pytest.mark.slow
def test_two_submits_at_once_are_one_job(server: JobServer, make_submission: MakeSubmission, tmp_path: Path) -> None:
    work, started = make_submission(until(tmp_path / "done")), list[Started]()
    threads = [threading.Thread(target=lambda: started.append(start_or_attach(server, work))) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {one.job for one in started} == {work.job(1)}
    assert sorted(one.new for one in started) == [False, True]
    assert start_or_attach(server, work) == Started(work.job(1), new=False)
    (tmp_path / "done").touch()
    assert follow(server, work.job(1), nothing) == 0


@pytest.mark.ray
@pytest.mark.slow
def test_a_failed_job_is_followed_by_the_next_attempt_and_a_running_one_keeps_its_recipe(
    server: JobServer, make_submission: MakeSubmission, tmp_path: Path
) -> None:
    failing = make_submission("exit 75")
    assert follow(server, start_or_attach(server, failing).job, nothing) == 75
    work = make_submission(until(tmp_path / "done"))
    assert start_or_attach(server, work) == Started(work.job(2), new=True)
    with pytest.raises(UserError, match="works with another recipe, other files or other code"):
        start_or_attach(server, make_submission("true", content="another"))
    assert start_or_attach(server, make_submission("true", stage="ingest")).new
    (tmp_path / "done").touch()
    assert follow(server, work.job(2), nothing) == 0


@pytest.mark.ray
@pytest.mark.slow
def test_the_job_at_work_is_stopped_and_no_other(
    server: JobServer, make_submission: MakeSubmission, tmp_path: Path
) -> None:
    work, other = make_submission(until(tmp_path / "never")), make_submission(until(tmp_path / "done"), stage="ingest")
    assert stop(server, work) == ""
    started = [start_or_attach(server, one).job for one in (work, other)]
    assert stop(server, work) == started[0]
    assert follow(server, started[0], nothing) == 128 + signal.SIGTERM
    assert stop(server, work) == ""
    (tmp_path / "done").touch()
    assert follow(server, started[1], nothing) == 0
