"""Ray Train with nothing but a store between its workers; one is killed in the middle."""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from lstmlm.progress import Silent
from lstmlm.publish.manifest import content_folder
from lstmlm.recipe.recipe import Recipe
from lstmlm.storage import StorePath
from lstmlm.training.metrics.log import read_metrics
from lstmlm.training.run import train
from lstmlm.training.workers.all_reduce import SingleWorker
from lstmlm.training.workers.worker import train_worker
from tests.ray_nodes import RayCluster, ray_head
from tests.stores import uploaded

pytestmark = [pytest.mark.ray, pytest.mark.slow]

PLAN = {"steps": 600, "evaluate_every": 200, "checkpoint_every": 20, "collective_timeout": 10}


@pytest.fixture
def cluster(store_environment: str, root: Path) -> Iterator[RayCluster]:
    """A cluster whose nodes know the store."""
    with ray_head(3, root) as found:
        yield found


class KillOnce:
    """Kills the first worker, which writes the checkpoints, when training has passed some steps."""

    def __init__(self, work: StorePath) -> None:
        self._work, self.killed = work, False

    def update(self, done: float, total: float | None = None, *, unit: str = "", note: str = "") -> None:
        if self.killed or done < 30:
            return
        for folder in self._work.iterdir():
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):
                os.kill(int((folder / "worker-0.pid").read_text()), signal.SIGKILL)
                self.killed = True


def losses(path: Path) -> list[float]:
    return [row["valid_loss"] for row in read_metrics(path) if "valid_loss" in row]


def test_a_killed_worker_is_replaced_and_the_losses_are_those_of_a_disk(
    recipe: Recipe, stages: Path, bucket: StorePath, cluster: RayCluster, tmp_path: Path
) -> None:
    one, two = (
        recipe.model_copy(update={"training": recipe.training.model_copy(update=PLAN | {"workers": workers})})
        for workers in (1, 2)
    )
    (tmp_path / "work").mkdir()
    train_worker(
        one, stages / "examples", stages / "tokenizer", tmp_path / "work", SingleWorker(), lambda row: None
    )  # fmt: skip
    for name in ("examples", "tokenizer"):
        uploaded(stages / name, bucket / name)
    killer = KillOnce(bucket / ".tiny.training.work" / "checkpoints")
    manifest = train(
        two, bucket / "examples", bucket / "tokenizer", bucket / "model", killer, ray_address=cluster.address
    )
    assert killer.killed
    found = losses(content_folder(bucket / "model", manifest) / "metrics.jsonl")
    np.testing.assert_allclose(found, losses(tmp_path / "work" / "metrics.jsonl"), atol=1e-4)
    assert len(found) == 3
    assert [path.name for path in (bucket / ".tiny.training.work").iterdir()] == ["trained"]
    assert train(two, bucket / "examples", bucket / "tokenizer", bucket / "model", Silent()).attempt == manifest.attempt
