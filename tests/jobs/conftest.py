from __future__ import annotations

import uuid
from collections.abc import Callable

import pytest

from lstmlm.jobs.server import JobServer
from lstmlm.jobs.submission import Submission
from tests.ray_nodes import RayCluster

MakeSubmission = Callable[..., Submission]


def ignore(reason: str) -> None:
    """Takes the reason of a wait that a test does not look at."""


@pytest.fixture
def server(ray_cluster: RayCluster) -> JobServer:
    """The job server of a real cluster."""
    return JobServer(ray_cluster.dashboard, 60.0, ignore)


@pytest.fixture
def make_submission() -> MakeSubmission:
    """Makes a submission of a run of this test's own: the cluster is shared."""
    run = uuid.uuid4().hex

    def make(entrypoint: str, stage: str = "", content: str = "content") -> Submission:
        return Submission(name="test", run=run, stage=stage, content=content, entrypoint=entrypoint)

    return make
