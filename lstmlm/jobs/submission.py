"""What is submitted, under which id: the same run has one job at a time, whoever submits it and how often."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Mapping
from typing import TYPE_CHECKING

from lstmlm.errors import UserError
from lstmlm.publish.manifest import fingerprint

if TYPE_CHECKING:
    from ray.job_submission import JobDetails

    from lstmlm.jobs.server import JobServer

CONTENT = "lstmlm_content"
"""Key of the metadata of a job: what it works with."""


@dataclasses.dataclass(frozen=True, slots=True)
class Submission:
    """Work for a cluster.

    Attributes:
        name: Begins the submission id, for people.
        run: The run: its folder and its id.
        stage: The stage; empty: all of them.
        content: Fingerprint of the recipe, the files and the code that it works with.
        entrypoint: What the shell of the head node runs.
        variables: Environment of the job, in addition to that of the node.
    """

    name: str
    run: str
    stage: str
    content: str
    entrypoint: str
    variables: Mapping[str, str] = dataclasses.field(default_factory=dict)

    def job(self, attempt: int) -> str:
        """Returns the submission id of an attempt, counted from 1."""
        return f"{self.name}-{fingerprint(self.run, self.stage, attempt)[:16]}"


@dataclasses.dataclass(frozen=True, slots=True)
class Started:
    """A job that runs or waits to.

    Attributes:
        job: The submission id.
        new: Whether it was submitted now, and not before.
    """

    job: str
    new: bool


def start_or_attach(server: JobServer, submission: Submission) -> Started:
    """Submits work, unless a job of the same run is at it: then returns that one.

    Ray keeps one job of a submission id, so of two submits at once the second attaches to the job of the first. An
    attempt that has ended, in whatever way, is followed by the next.

    Raises:
        TryAgain: The server does not answer.
        UserError: The job that runs works with something else.
    """
    for attempt in itertools.count(1):
        job = submission.job(attempt)
        found = server.find(job)
        if found is None:
            if server.submit(job, submission.entrypoint, {CONTENT: submission.content}, submission.variables):
                return Started(job, new=True)
            found = server.find(job)
        if found is not None and not found.status.is_terminal():
            _check_content(found, job, submission)
            return Started(job, new=False)
    raise AssertionError("attempts have no end")


def stop(server: JobServer, submission: Submission) -> str:
    """Stops the job that is at the work of a run, and waits until it has ended.

    Returns:
        Its submission id; empty where none was at it.

    Raises:
        TryAgain: The server does not answer, or the job does not end.
    """
    for attempt in itertools.count(1):
        found = server.find(submission.job(attempt))
        if found is None:
            return ""
        if not found.status.is_terminal():
            server.stop(submission.job(attempt))
            return submission.job(attempt)
    raise AssertionError("attempts have no end")


def _check_content(found: JobDetails, job: str, submission: Submission) -> None:
    if (found.metadata or {}).get(CONTENT) != submission.content:
        what = f"the job {job} of this run works with another recipe, other files or other code"
        raise UserError(what, where="--run-id", hint="Use another run id, or wait for that job to end, or stop it")
