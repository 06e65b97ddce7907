"""Training on Ray Train: as many workers as one likes, the same result."""

import contextlib
import os
import signal

import numpy as np
import psutil
import pytest

from lstmlm.errors import UserError
from lstmlm.progress import Silent
from lstmlm.publish.folder import read_manifest
from lstmlm.recipe.file import parse_recipe
from lstmlm.training.metrics.log import read_metrics
from lstmlm.training.run import train
from lstmlm.training.workers.all_reduce import SingleWorker
from lstmlm.training.workers.worker import train_worker
from tests.tiny import RECIPE
from tests.training.recovery import Recovery

pytestmark = [pytest.mark.ray, pytest.mark.slow]


PLAN = {"steps": 600, "evaluate_every": 200, "checkpoint_every": 20, "collective_timeout": 10}
"""Enough steps that there is time to hit between two checkpoints."""


def run(recipe, stages, output, cluster, progress=None, **training):
    changed = recipe.model_copy(update={"training": recipe.training.model_copy(update=training)})
    return train(
        changed, stages / "examples", stages / "tokenizer", output, progress or Silent(), ray_address=cluster.address
    )


def losses(folder):
    rows = read_metrics(folder / "metrics.jsonl")
    return [row["valid_loss"] for row in rows if "valid_loss" in row]


@pytest.fixture(scope="module")
def undisturbed(stages, tmp_path_factory, ray_cluster):
    """The folder of a model that one worker trained to the end."""
    folder = tmp_path_factory.mktemp("undisturbed")
    recipe = parse_recipe(RECIPE, "tiny", [f"corpus.root={stages}", f"output={folder / 'runs'}"])
    run(recipe, stages, folder / "model", ray_cluster, **PLAN | {"workers": 1})
    return folder / "model"


class Listening:
    """Keeps the ports that the workers listen on."""

    def __init__(self, recipe):
        self.folder, self.ports = recipe.run_folder / "checkpoints", {}

    def update(self, done, total=None, **said):
        for path in self.folder.glob("*/worker-*.pid") if done > 0 else ():
            with contextlib.suppress(psutil.NoSuchProcess):  # it has ended
                sockets = psutil.Process(int(path.read_text())).net_connections("tcp")
                found = {one.laddr.port for one in sockets if one.status == psutil.CONN_LISTEN}
                self.ports[path.name] = self.ports.get(path.name, set()) | found


def test_two_workers_give_the_loss_curve_of_one(recipe, stages, tmp_path, ray_cluster, undisturbed):
    watch = Listening(recipe)
    two = run(recipe, stages, tmp_path / "two", ray_cluster, watch, **PLAN | {"workers": 2})
    # Ray's own; TensorFlow's collectives would open another, on every address.
    assert {name: len(ports) for name, ports in watch.ports.items()} == {"worker-0.pid": 1, "worker-1.pid": 1}
    np.testing.assert_allclose(losses(tmp_path / "two"), losses(undisturbed), atol=1e-4)
    assert len(losses(undisturbed)) == 3
    # The number of workers is not part of what is trained.
    assert two.fingerprint == read_manifest(undisturbed).fingerprint
    assert (tmp_path / "two" / "loss.png").read_bytes().startswith(b"\x89PNG")
    assert not list((recipe.run_folder / "checkpoints").iterdir())


def test_four_workers_give_the_loss_curve_of_one(recipe, stages, tmp_path, ray_cluster, undisturbed):
    """Each reads a fourth of every batch."""
    run(recipe, stages, tmp_path / "four", ray_cluster, **PLAN | {"workers": 4})
    np.testing.assert_allclose(losses(tmp_path / "four"), losses(undisturbed), atol=1e-4)


def test_two_workers_measure_outputs_as_one_does(pair_recipe, pair_stages, tmp_path, ray_cluster):
    plan = {"steps": 60, "evaluate_every": 20, "learning_rate": 0.005, "metric": "chrf", "evaluate_records": 70}
    single = pair_recipe.model_copy(update={"training": pair_recipe.training.model_copy(update=plan)})
    (tmp_path / "one").mkdir()
    folders = pair_stages / "examples", pair_stages / "tokenizer", tmp_path / "one"
    train_worker(single, *folders, SingleWorker(), lambda row: None)
    two = run(pair_recipe, pair_stages, tmp_path / "two", ray_cluster, **plan | {"workers": 2})
    rows = [read_metrics(tmp_path / name / "metrics.jsonl") for name in ("one", "two")]
    expected, found = ([row for row in each if "valid_chrf" in row] for each in rows)
    assert [row["best_step"] for row in found] == [row["best_step"] for row in expected]
    # A token that is about as likely as another may be the other.
    np.testing.assert_allclose([row["valid_chrf"] for row in found], [row["valid_chrf"] for row in expected], atol=1.0)
    assert found[0]["valid_chrf"] > found[-1]["valid_chrf"] > 0  # while the loss falls
    assert two.facts["valid_chrf"] == max(row["valid_chrf"] for row in found)


def test_a_range_of_workers_takes_what_there_is(recipe, stages, tmp_path, ray_cluster):
    """The cluster has room for four; asking for up to 9 is no mistake."""
    manifest = run(recipe, stages, tmp_path / "some", ray_cluster, workers=(1, 8))
    assert manifest.facts["steps"] == recipe.training.steps


class HitOnce:
    """Sends a signal to a training worker, found by its pid, the first time training has passed a step."""

    def __init__(self, recipe, step, number):
        self.folder, self.step, self.victim = recipe.run_folder / "checkpoints", step, None
        self.number, self.recovery = number, Recovery(self.folder)

    def update(self, done, total=None, **said):
        pids = sorted(self.folder.glob("*/worker-1.pid"))
        if self.victim is not None:
            self.recovery.look(done)
        elif done >= self.step and pids:
            self.victim = int(pids[0].read_text())
            self.recovery.begin(done)
            os.kill(self.victim, self.number)


# A stopped worker shows only by its silence.
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP], ids=["killed", "stopped"])
def test_a_lost_worker_is_replaced_and_the_loss_is_that_of_the_undisturbed_run(
    recipe, stages, tmp_path, ray_cluster, undisturbed, number, record_property
):
    killer = HitOnce(recipe, 30, number)
    run(recipe, stages, tmp_path / "hit", ray_cluster, killer, **PLAN | {"workers": 2})
    assert killer.victim is not None
    np.testing.assert_allclose(losses(tmp_path / "hit"), losses(undisturbed), atol=1e-4)
    record_property(f"{number.name} of a worker", killer.recovery.seconds)


def test_a_users_mistake_in_a_worker_arrives_as_such(recipe, stages, tmp_path, ray_cluster):
    wild = {"learning_rate": 1e30, "clip": 1e30, "warmup": 8}
    with pytest.raises(UserError, match="not a finite number"):
        run(recipe, stages, tmp_path / "model", ray_cluster, max_failures=0, **wild)
    assert not (tmp_path / "model").exists()


def test_more_workers_than_the_cluster_has_are_refused_before_any_starts(recipe, stages, tmp_path, ray_cluster):
    with pytest.raises(UserError, match=r"training\.workers.*4 CPU.*need 8"):
        run(recipe, stages, tmp_path / "model", ray_cluster, workers=8)
    assert not (tmp_path / "model").exists()
