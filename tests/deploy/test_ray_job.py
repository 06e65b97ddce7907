"""Training as a job of a Ray cluster that is already running."""

from __future__ import annotations

import functools
import secrets
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from lstmlm.publish.folder import read_manifest
from lstmlm.publish.locks import locked
from tests.ray_nodes import ray_head

pytestmark = [pytest.mark.ray, pytest.mark.slow, pytest.mark.timeout(1200)]

Lstmlm = Callable[..., "subprocess.CompletedProcess[str]"]

BIN = Path(sys.executable).parent


@pytest.fixture(scope="module")
def cluster(root: Path) -> Iterator[str]:
    """The address of the job server of a cluster with one node, this machine, that asks for a token."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RAY_AUTH_MODE", "token")
        patch.setenv("RAY_AUTH_TOKEN", secrets.token_hex(32))
        with ray_head(2, root) as made:
            yield made.dashboard


@pytest.fixture
def submit(cluster: str, tiny_recipe: Path, lstmlm: Lstmlm) -> Lstmlm:
    """Runs `lstmlm submit` to its end."""
    lstmlm_there = f"{sys.executable} -m lstmlm"
    return functools.partial(lstmlm, "submit", tiny_recipe, "--address", cluster, "--command", lstmlm_there)


def test_a_submitted_job_trains_to_the_end(cluster: str, tiny_recipe: Path, lstmlm: Lstmlm, tmp_path: Path) -> None:
    records, tokenizer, examples, model = (tmp_path / name for name in ("records", "tokenizer", "examples", "model"))
    for command in (
        ("ingest", tiny_recipe, "-o", records),
        ("tokenizer", tiny_recipe, "--records", records, "-o", tokenizer),
        ("examples", tiny_recipe, "--records", records, "--tokenizer", tokenizer, "-o", examples),
    ):
        done = lstmlm(*command)
        assert done.returncode == 0, done.stderr
    job = tmp_path / "job"
    job.mkdir()
    shutil.copy(tiny_recipe, job / "recipe.yaml")
    train = [sys.executable, "-m", "lstmlm", "train", "recipe.yaml", "--examples", examples, "--tokenizer", tokenizer]
    command = [BIN / "ray", "job", "submit", "--address", cluster, "--working-dir", job, "--", *train, "-o", model]
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False)
    assert "succeeded" in done.stdout, done.stdout[-5000:] + done.stderr[-5000:]
    assert done.returncode == 0
    assert read_manifest(model, "model", verify=True).facts["steps"] == 4


def test_a_stage_is_submitted_once_and_exit_codes_are_those_of_the_job(submit: Lstmlm, tiny_recipe: Path) -> None:
    early = submit("--run-id", "a", "--stage", "train")
    assert early.returncode == 2, early.stdout + early.stderr
    assert "stage `train` needs `examples`, which has not finished in run 'a'" in early.stdout
    with locked(tiny_recipe.parent / "runs" / "tiny"):
        busy = submit("--run-id", "a")
    assert busy.returncode == 75, busy.stdout + busy.stderr
    assert "another process is at work here" in busy.stdout
    done = submit("--run-id", "a", "--stage", "ingest")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "submitted the job tiny-" in done.stderr
    assert "ingest: done in" in done.stdout
    again = submit("--run-id", "a", "--stage", "ingest")
    assert again.returncode == 0
    assert "the stage `ingest` of the run a has finished" in again.stderr
    assert "job" not in again.stderr


@pytest.mark.parametrize(
    ("variables", "line"),
    [
        ({"RAY_AUTH_TOKEN": "f" * 64}, "refuses the token"),
        ({"RAY_AUTH_MODE": "disabled"}, "asks for a token"),
    ],
)
def test_a_wrong_token_is_one_line(submit: Lstmlm, variables: dict[str, str], line: str) -> None:
    done = submit(env=variables)
    assert done.returncode == 2
    assert done.stdout == ""
    (said,) = done.stderr.splitlines()
    assert line in said
    assert "Set RAY_AUTH_MODE=token and RAY_AUTH_TOKEN as on the cluster" in said
