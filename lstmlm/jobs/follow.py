"""Follows a job to its end: its log as it grows, and the exit code of its command."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable

from ray.job_submission import JobDetails, JobStatus

from lstmlm.errors import TryAgain, UserError
from lstmlm.jobs.server import JobServer

PAUSE = 1.0
NOT_STARTED = (126, 127)
"""Exit codes of a shell whose command cannot be run, or is not there."""


def follow(server: JobServer, job: str, show: Callable[[str], None]) -> int:
    """Shows the log of a job from its first line on, and returns the exit code of the job when it ends.

    A connection that breaks is made anew; no line is shown again.

    Args:
        server: The job server.
        job: The submission id.
        show: Takes each part of the log.

    Raises:
        TryAgain: The job was lost with its cluster, or the server does not answer any more.
        UserError: The command is not there on the cluster.
    """
    shown = 0
    while True:
        shown = server.tail(job, shown, show)
        found = server.find(job)
        if found is None:
            what = f"the cluster at {server.address} does not know the job {job} any more"
            raise TryAgain(what, hint="It was started anew: run the same command again, finished work is kept")
        if found.status.is_terminal():
            server.tail(job, shown, show)  # what was written since
            return exit_code(found, job)
        time.sleep(PAUSE)


def exit_code(ended: JobDetails, job: str) -> int:
    """Returns the exit code of a job that has ended; 128 and the number of the signal that ended it.

    Raises:
        TryAgain: It has none: it was lost with its node, or never started.
        UserError: Its command is not there on the cluster.
    """
    if ended.status == JobStatus.SUCCEEDED:
        return 0
    if ended.status == JobStatus.STOPPED:
        return 128 + signal.SIGTERM
    code = ended.driver_exit_code
    if code is None:
        reason = (ended.message or "no reason is known").strip().splitlines()[0]
        what = f"the job {job} was lost with its node, or did not start ({reason})"
        raise TryAgain(what, hint="Run the same command again: finished work is kept")
    if code in NOT_STARTED:
        what = f"the head node has no such command (exit code {code} of its shell; the line above names it)"
        raise UserError(what, where="--command", hint="Install lstmlm there, or name the path of its command")
    return code if code >= 0 else 128 - code
