"""Training on Ray Train: as many workers as one likes, the same result."""

import os
import signal

import numpy as np
import pytest

from lstmlm.errors import UserError
from lstmlm.progress import Silent
from lstmlm.publish import read_manifest
from lstmlm.training.all_reduce import Alone
from lstmlm.training.metrics import read_metrics
from lstmlm.training.run import train
from lstmlm.training.worker import train_worker

pytestmark = [pytest.mark.ray, pytest.mark.slow]


def run(recipe, stages, output, cluster, progress=None, **training):
    changed = recipe.model_copy(update={"training": recipe.training.model_copy(update=training)})
    return train(
        changed, stages / "examples", stages / "tokenizer", output, progress or Silent(), ray_address=cluster.address
    )


def losses(folder):
    rows = read_metrics(folder / "metrics.jsonl")
    return [row.get("valid_loss", row.get("loss")) for row in rows]


def test_two_workers_give_the_loss_curve_of_one(recipe, stages, tmp_path, ray_cluster):
    one = run(recipe, stages, tmp_path / "one", ray_cluster, workers=1)
    two = run(recipe, stages, tmp_path / "two", ray_cluster, workers=2)
    np.testing.assert_allclose(losses(tmp_path / "one"), losses(tmp_path / "two"), atol=1e-4)
    assert one.fingerprint == two.fingerprint  # the number of workers is not part of what is trained
    assert (tmp_path / "two" / "loss.png").read_bytes().startswith(b"\x89PNG")
    assert not list((recipe.run_folder / "checkpoints").iterdir())


def test_two_workers_go_on_where_one_stopped(recipe, stages, tmp_path, ray_cluster):
    """Weights, optimizer and the carried state of every row come from a checkpoint that another group wrote."""

    def stop(row):
        if row["step"] == 6:
            raise InterruptedError

    run(recipe, stages, tmp_path / "one", ray_cluster, workers=1)
    work = recipe.run_folder / "checkpoints" / read_manifest(tmp_path / "one").fingerprint[:16]
    work.mkdir(parents=True)
    with pytest.raises(InterruptedError):
        train_worker(recipe, stages / "examples", 600, work, Alone(), stop)
    assert (work / "step-00000004").is_dir()
    run(recipe, stages, tmp_path / "two", ray_cluster, workers=2)
    np.testing.assert_allclose(losses(tmp_path / "one"), losses(tmp_path / "two"), atol=1e-4)


def test_a_range_of_workers_takes_what_there_is(recipe, stages, tmp_path, ray_cluster):
    """The cluster has room for four; asking for up to 9 is no mistake."""
    manifest = run(recipe, stages, tmp_path / "some", ray_cluster, workers=(1, 8))
    assert manifest.facts["steps"] == recipe.training.steps


def test_more_workers_than_rows_are_refused_before_any_starts(recipe, stages, tmp_path):
    changed = recipe.model_copy(update={"training": recipe.training.model_copy(update={"workers": 9})})
    with pytest.raises(UserError, match=r"training\.workers: 9 workers share batches of 8 rows"):
        train(changed, stages / "examples", stages / "tokenizer", tmp_path / "model", Silent())


class HitOnce:
    """Sends a signal to a training worker, found by its pid, the first time training has passed a step."""

    def __init__(self, recipe, step, number):
        self.folder, self.step, self.victim = recipe.run_folder / "checkpoints", step, None
        self.number = number

    def update(self, done, total=None, *, unit="", note=""):
        pids = sorted(self.folder.glob("*/worker-1.pid"))
        if self.victim is None and done >= self.step and pids:
            self.victim = int(pids[0].read_text())
            os.kill(self.victim, self.number)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP], ids=["killed", "stopped"])
def test_a_lost_worker_is_replaced_and_the_loss_is_that_of_the_undisturbed_run(
    recipe, stages, tmp_path, ray_cluster, number
):
    # Enough steps that there is time to hit between two checkpoints. A stopped worker shows by its silence alone.
    plan = {"workers": 2, "steps": 600, "evaluate_every": 200, "checkpoint_every": 20, "collective_timeout": 10}
    killer = HitOnce(recipe, 30, number)
    run(recipe, stages, tmp_path / "killed", ray_cluster, killer, **plan)
    run(recipe, stages, tmp_path / "calm", ray_cluster, **plan | {"workers": 1})
    assert killer.victim is not None
    calm, killed = (
        [row["valid_loss"] for row in read_metrics(tmp_path / name / "metrics.jsonl") if "valid_loss" in row]
        for name in ("calm", "killed")
    )
    np.testing.assert_allclose(killed, calm, atol=1e-4)


def test_a_users_mistake_in_a_worker_arrives_as_such(recipe, stages, tmp_path, ray_cluster):
    with pytest.raises(UserError, match="larger than the data"):
        run(recipe, stages, tmp_path / "model", ray_cluster, batch=1_000_000, max_failures=0)
    assert not (tmp_path / "model").exists()


def test_more_workers_than_the_cluster_has_are_refused_before_any_starts(recipe, stages, tmp_path, ray_cluster):
    with pytest.raises(UserError, match=r"training\.workers.*4 CPU.*need 99"):
        run(recipe, stages, tmp_path / "model", ray_cluster, workers=99)
    assert not (tmp_path / "model").exists()
