"""Every step of the compiled pipeline, executed by the rules of Kubeflow's launcher."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from lstmlm.stages import STAGES, node_of, pipeline_stages
from tests.pipelines.kubeflow.conftest import compiled
from tests.pipelines.kubeflow.driver import Driver

if TYPE_CHECKING:
    from tests.pipelines.kubeflow.conftest import MakeTiny
    from tests.ray_nodes import RayCluster

pytestmark = [pytest.mark.tfx, pytest.mark.slow]

STEPS = 3
DIFFERENT = ("metrics.jsonl", "model.json", "saved_model.pb", "fingerprint.pb")
"""The first two have the speed of training, the others what TensorFlow numbers anew in each process."""


@dataclasses.dataclass
class Executed:
    """A run of the compiled pipeline, started with parameters that differ from the recipe.

    Attributes:
        driver: What ran it.
        moved: The folder of the corpus and the outputs.
    """

    driver: Driver
    moved: Path


def start(tiny: MakeTiny, folder: Path, moved: Path) -> Driver:
    """Compiles the tiny recipe for another corpus root, output and number of steps than the run is started with."""
    recipe = tiny(folder)
    other = recipe.model_copy(update={"training": recipe.training.model_copy(update={"steps": 99})})
    specification, _ = compiled(other, folder)
    (folder / "train.txt").rename(moved / "train.txt")
    given = {"corpus_root": str(moved), "output": str(moved / "runs"), "steps": STEPS}
    return Driver(specification, folder / "kubeflow", given)


@pytest.fixture(scope="module")
def executed(tiny: MakeTiny, tmp_path_factory: pytest.TempPathFactory, ray_cluster: RayCluster) -> Executed:
    moved = tmp_path_factory.mktemp("elsewhere")
    driver = start(tiny, tmp_path_factory.mktemp("compiled"), moved)
    driver.environment["RAY_ADDRESS"] = ray_cluster.address
    for name in driver.order():
        ran = driver.run(name)
        assert ran.code == 0, f"{name}: {ran.log[-4000:]}"
    return Executed(driver, moved)


def manifest(folder: Path) -> dict[str, Any]:
    """What a folder was made from and the digests of its files, but of those that differ from run to run."""
    found = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    files = {name: one for name, one in found["files"].items() if name not in DIFFERENT}
    return {"kind": found["kind"], "fingerprint": found["fingerprint"], "files": files}


@pytest.mark.ray
@pytest.mark.timeout(1800)
def test_every_step_runs_and_leaves_what_a_local_run_does(
    executed: Executed, tiny: MakeTiny, tmp_path: Path, ray_cluster: RayCluster
) -> None:
    from pipelines.local import run_local

    report = run_local(tiny(tmp_path), ray_address=ray_cluster.address)
    for stage in (stage for stage in pipeline_stages() if stage.function):
        node = node_of(stage)
        stored = executed.driver.stored(node.id, node.output) / node.inside
        assert manifest(stored) == manifest(report.artifacts[stage.name]), stage.name


@pytest.mark.ray
@pytest.mark.timeout(1800)
def test_the_model_is_pushed_below_the_output_that_the_run_was_started_with(executed: Executed) -> None:
    pushed = list((executed.moved / "runs" / "tiny" / "pushed").glob("*"))
    assert len(pushed) == 1
    exported = executed.driver.stored("Exporter", "model") / node_of(STAGES["export"]).inside
    assert manifest(pushed[0]) == manifest(exported)
    assert (executed.driver.stored("Evaluator", "blessing") / "BLESSED").is_file()


def test_another_text_in_the_corpus_is_another_cache_key(tiny: MakeTiny, tmp_path: Path) -> None:
    (tmp_path / "moved").mkdir()
    driver = start(tiny, tmp_path, tmp_path / "moved")
    keys = []
    for line in ("", "", "one line more\n"):
        with (tmp_path / "moved" / "train.txt").open("a", encoding="utf-8") as stream:
            stream.write(line)
        ran = driver.run("Files")  # never from the cache
        assert ran.code == 0, ran.log
        keys.append(driver.key_of("Ingest"))
    assert keys[0] == keys[1] != keys[2]
