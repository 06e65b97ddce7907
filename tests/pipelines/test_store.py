"""A pipeline whose run folder is in a store: the digests of a disk, a second run does nothing, a kill in between."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from lstmlm.errors import BelowThreshold, TryAgain
from lstmlm.publish.folder import read_manifest
from lstmlm.stages import node_of, pipeline_stages
from lstmlm.storage import StorePath, leases
from tests.conftest import Lstmlm
from tests.pipelines.test_local import ALL, FAKED, Recorder
from tests.stores import keys
from tests.waiting import wait_until

if TYPE_CHECKING:
    from lstmlm.recipe.recipe import Recipe
    from tests.pipelines.conftest import MakeRecipe, Stages

pytestmark = [pytest.mark.tfx, pytest.mark.slow]

CHANGES = {"saved_model.pb", "fingerprint.pb", "metrics.jsonl"}
"""Files that hold TensorFlow's numbers of functions, or how fast it was."""


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LSTMLM_CACHE", str(tmp_path / "cache"))


def versions(folder: Path) -> list[Path]:
    return sorted(path for path in (folder / "pushed").glob("*") if path.name.isdigit())


def sums(folder: Path) -> dict[str, Any]:
    return {name: facts for name, facts in read_manifest(folder).files.items() if name not in CHANGES}


def test_stock_components_cache_push_and_history(
    make_recipe: MakeRecipe, stages: Stages, bucket: StorePath, s3: Any, tmp_path: Path, lstmlm: Lstmlm
) -> None:
    from pipelines.history.lineage import lineage
    from pipelines.history.runs import past_runs
    from pipelines.local import run_local

    recipe, first, second = make_recipe(output=f"{bucket}/runs"), Recorder(), Recorder()
    assert recipe.run_folder == bucket / "runs" / "tiny"
    report = run_local(recipe, listener=first, run_id="one")
    assert stages.calls() == FAKED
    assert (report.artifacts["infer"] / "predictions-00000-of-00001.jsonl").read_text() == "2"
    assert set(report.artifacts["statistics"].below()) == {"Split-train/FeatureStats.pb", "Split-valid/FeatureStats.pb"}
    assert "schema.pbtxt" in report.artifacts["schema"].below()
    (pushed,) = versions(recipe.run_folder)
    assert read_manifest(pushed).files == read_manifest(report.artifacts["export"]).files
    assert (pushed / "saved_model.pb").read_text() == "2"  # where servers of TensorFlow look for it
    again = run_local(recipe, listener=second)
    assert stages.calls() == []
    assert second.outcomes() == dict.fromkeys(ALL, "cached")
    assert again.artifacts["infer"] == report.artifacts["infer"]
    assert again.artifacts["resolve"] == report.artifacts["export"]
    assert len(versions(recipe.run_folder)) == 1
    assert [one.state for one in past_runs(recipe.run_folder)] == ["finished", "finished"]
    origin = lineage(report.artifacts["infer"])
    assert origin.made is not None
    assert origin.made.stage == "infer"
    assert not (tmp_path / "runs").exists()
    listed = lstmlm("runs", recipe.run_folder)
    assert "finished" in listed.stdout, listed.stderr
    assert f"{recipe.run_folder}, runs: 2" in listed.stdout


def test_failures_and_verdicts(make_recipe: MakeRecipe, stages: Stages, bucket: StorePath, s3: Any) -> None:
    from pipelines.local import run_local

    recipe = make_recipe(output=f"{bucket}/runs")
    stages.broken["export"] = TryAgain("not now")
    with pytest.raises(TryAgain, match="not now"):
        run_local(recipe)
    assert stages.calls()[-1] == "export"
    stages.broken.clear()
    stages.perplexity = 500.0
    with pytest.raises(BelowThreshold, match="perplexity is 500"):
        run_local(recipe)
    assert stages.calls() == ["export", "evaluate"]
    assert versions(recipe.run_folder) == []
    left = {key.split("/")[3] for key in keys(s3, bucket) if key.startswith("runs/tiny/artifacts/")}
    assert left <= {node_of(stage).id for stage in pipeline_stages()}


RUN = """
import sys, time
from lstmlm.publish.cache import local_copy
from lstmlm.recipe.recipe import Recipe
from lstmlm.training.workers import distributed
from lstmlm.training.workers.all_reduce import SingleWorker
from lstmlm.training.workers.worker import train_worker
from pipelines.local import run_local
def wait(row):
    if row["step"] > 6:
        time.sleep(3600)  # until it is killed, behind a checkpoint or two
def here(recipe, examples, tokenizer, work, address):
    train_worker(recipe, examples, local_copy(tokenizer), work, SingleWorker(), wait)
distributed.train_on_ray = here
run_local(Recipe.model_validate_json(sys.argv[1]))
"""


@pytest.fixture
def demo(root: Path, tmp_path: Path) -> list[str]:
    """Changes of the demo's recipe: a few steps of a small network on a small corpus."""
    from lstmlm.cli.demo_corpus import write_demo_corpus

    write_demo_corpus(tmp_path / "corpus" / "python_docs.jsonl")
    for name in ("python_docs.jsonl", "prompts.jsonl"):
        path = tmp_path / "corpus" / name
        path.write_bytes(
            b"".join(path.read_bytes().splitlines(keepends=True)[: 300 if name != "prompts.jsonl" else 20])
        )
    return [
        f"corpus.root={tmp_path / 'corpus'}",
        *("corpus.valid_fraction=0.2", "tokenizer.vocabulary=600", "model.embedding=16", "model.units=24"),
        *("training.steps=12", "training.warmup=2", "training.evaluate_every=6", "training.checkpoint_every=4"),
        *("training.workers=1", "training.precision=float32", "evaluation.thresholds={}", "evaluation.max_records=10"),
        *("decoding.max_tokens=4",),
    ]


def test_the_demo_is_killed_resumes_and_has_the_digests_of_a_disk(
    root: Path, demo: list[str], bucket: StorePath, s3: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from lstmlm.recipe.file import parse_recipe
    from lstmlm.training.workers import distributed
    from pipelines.local import run_local
    from tests.training.test_store import train_in_process

    monkeypatch.setattr(distributed, "train_on_ray", train_in_process)
    text = (root / "pipelines/recipes/demo.yaml").read_text()

    def recipe(output: str) -> Recipe:
        return parse_recipe(text, "demo", [*demo, f"output={output}"])

    run = recipe(f"{bucket}/runs")
    process = subprocess.Popen([sys.executable, "-c", RUN, run.model_dump_json()], cwd=root)
    try:
        here = run_local(recipe(str(tmp_path / "runs")))  # meanwhile
        wait_until(
            lambda: process.poll() is not None or list((run.run_folder / "checkpoints").rglob("manifest.json")) != [],
            "a checkpoint",
            seconds=900,  # TFX takes its time to be imported
        )
    finally:
        process.kill()
        process.wait()
    assert process.returncode == -signal.SIGKILL
    monkeypatch.setattr(leases, "EXPIRES", 0.5)
    second, third = Recorder(), Recorder()
    there = run_local(run, listener=second)
    assert {stage for stage, what in second.outcomes().items() if what == "cached"} >= {
        "ingest",
        "tokenizer",
        "examples",
    }
    for stage, folder in here.artifacts.items():
        if (folder / "manifest.json").is_file():  # TFX's own have none
            assert sums(there.artifacts[stage]) == sums(folder), stage
    assert run_local(run, listener=third).artifacts["infer"] == there.artifacts["infer"]
    assert third.outcomes() == dict.fromkeys(ALL, "cached")
    assert not [key for key in keys(s3, bucket) if "/.lock/" in key or ("attempt-" in key and "/trained/" not in key)]
