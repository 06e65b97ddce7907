"""The log of a job, and its end."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from lstmlm.errors import TryAgain, UserError
from lstmlm.jobs.follow import follow
from lstmlm.jobs.server import JobServer
from lstmlm.jobs.submission import start_or_attach
from tests.waiting import wait_until

if TYPE_CHECKING:
    from tests.jobs.conftest import MakeSubmission

pytestmark = [pytest.mark.ray, pytest.mark.slow]


def test_the_exit_code_is_that_of_the_command(server: JobServer, make_submission: MakeSubmission) -> None:
    ends = {0: "exit 0", 2: "exit 2", 3: "exit 3", 75: "exit 75", 137: "kill -9 $$"}
    jobs = {code: start_or_attach(server, make_submission(end, str(code))).job for code, end in ends.items()}
    lines = list[str]()
    assert {follow(server, job, lines.append): code for code, job in jobs.items()} == {code: code for code in ends}


def test_a_command_that_is_not_there_is_one_line(server: JobServer, make_submission: MakeSubmission) -> None:
    lines = list[str]()
    with pytest.raises(UserError, match=r"^--command: the head node has no such command .*Install lstmlm there"):
        follow(server, start_or_attach(server, make_submission("exec no-such-command")).job, lines.append)
    assert "no-such-command: not found" in "".join(lines)


def test_a_log_is_shown_once_while_it_grows_and_again_to_whoever_attaches(
    server: JobServer, make_submission: MakeSubmission, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A connection that is silent for so long is made anew, and the server then sends the log from its first line on.
    monkeypatch.setattr("lstmlm.jobs.server.SILENCE_SECONDS", 2.0)
    done = tmp_path / "done"
    begin, end = (f"for n in $(seq {first} {first + 99}); do echo line $n é; done" for first in (1, 101))
    wait = f"while ! test -e {shlex.quote(str(done))}; do sleep 0.1; done"
    work = make_submission(f"{begin}; {wait}; {end}")
    job, shown, tails = start_or_attach(server, work).job, list[str](), list[int]()
    tail = server.tail

    def counted(*arguments: object) -> int:
        tails.append(len(shown))
        if len(tails) > 2:  # two connections were silent
            done.touch()
        return tail(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(server, "tail", counted)
    expected = [f"line {n} é" for n in range(1, 201)]
    assert follow(server, job, shown.append) == 0
    assert [line for line in "".join(shown).splitlines() if line.startswith("line")] == expected
    again = list[str]()
    assert follow(server, job, again.append) == 0
    assert "".join(again) == "".join(shown)


def test_a_job_that_was_stopped_ends_as_by_sigterm(server: JobServer, make_submission: MakeSubmission) -> None:
    job = start_or_attach(server, make_submission("while true; do sleep 0.1; done")).job

    def runs() -> bool:
        found = server.find(job)
        return found is not None and found.status == "RUNNING"

    wait_until(runs, "the start of the job", 120)
    assert server._client.stop_job(job)
    assert follow(server, job, lambda text: None) == 143


def test_a_job_that_the_cluster_does_not_know_may_be_submitted_again(server: JobServer) -> None:
    with pytest.raises(TryAgain, match="does not know the job gone-1 any more"):
        follow(server, "gone-1", lambda text: None)
