"""Training as a job of a Ray cluster that is already running."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from lstmlm.publish.folder import read_manifest
from tests.ray_nodes import ray_head

pytestmark = [pytest.mark.ray, pytest.mark.slow, pytest.mark.timeout(1200)]

Lstmlm = Callable[..., "subprocess.CompletedProcess[str]"]

BIN = Path(sys.executable).parent


@pytest.fixture
def cluster(root: Path) -> Iterator[str]:
    """The address of the job server of a cluster with one node, this machine."""
    with ray_head(2, root) as made:
        yield made.dashboard


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
