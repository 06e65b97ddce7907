"""What is known of finished stages without TFX."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from lstmlm.errors import BelowThreshold
from lstmlm.publish.folder import publish
from lstmlm.recipe.recipe import Recipe
from lstmlm.stages import STAGES
from pipelines.chosen import keep_choice, with_kept_choice
from pipelines.finished import check_blessed, finished_artifact, note_finished

if TYPE_CHECKING:
    from tests.pipelines.conftest import MakeRecipe

INGEST, EVALUATE = STAGES["ingest"], STAGES["evaluate"]


def finish(recipe: Recipe, run_id: str = "scheduled/2026-01-01", stage: str = "ingest") -> Path:
    """Notes a stage as finished, with an empty output."""
    artifact = recipe.run_folder / "artifacts" / stage / "1"
    artifact.mkdir(parents=True)
    note_finished(recipe, run_id, STAGES[stage], artifact, STAGES[stage].outside_fingerprint(recipe))
    return artifact


def test_a_finished_stage_is_found_by_its_run_id(make_recipe: MakeRecipe) -> None:
    recipe = make_recipe()
    artifact = finish(recipe, "scheduled/2026-01-01")
    assert finished_artifact(recipe, "scheduled/2026-01-01", INGEST) == artifact
    assert finished_artifact(recipe, "scheduled/2026-01-02", INGEST) is None
    assert finished_artifact(recipe, "scheduled/2026-01-01", STAGES["train"]) is None


def test_a_change_of_what_it_depends_on_is_for_the_pipeline_to_answer(make_recipe: MakeRecipe, tmp_path: Path) -> None:
    finish(make_recipe(), "a")
    assert finished_artifact(make_recipe(training={"steps": 9}), "a", INGEST) is not None
    assert finished_artifact(make_recipe(corpus={"shards": 3}), "a", INGEST) is None
    with (tmp_path / "train.txt").open("a") as stream:
        stream.write("one more line\n")
    assert finished_artifact(make_recipe(), "a", INGEST) is None


def test_last_blessed_is_what_it_was_when_the_run_began(make_recipe: MakeRecipe) -> None:
    recipe = make_recipe(training={"initial": "last_blessed"}, evaluation={"against": "last_blessed"})
    model = recipe.run_folder.resolve() / "artifacts/Exporter/model/8"
    with publish(model, "export", "a model") as draft:
        (draft.path / "weights.npz").write_text("weights")
    assert finished_artifact(recipe, "a", STAGES["train"]) is None
    for run_id, chosen in (("a", None), ("b", model)):
        keep_choice(recipe, run_id, chosen)
        named = with_kept_choice(recipe, run_id)
        assert named is not None
        assert named.evaluation.against == chosen
        artifact = finish(named, run_id, stage="train")
        assert finished_artifact(recipe, run_id, STAGES["train"]) == artifact
        shutil.rmtree(artifact)
    assert named.training.initial is not None
    assert named.training.initial.model == model
    assert with_kept_choice(recipe, "c") is None


def test_an_output_that_is_gone_is_not_finished(make_recipe: MakeRecipe) -> None:
    shutil.rmtree(finish(make_recipe(), "a"))
    assert finished_artifact(make_recipe(), "a", INGEST) is None


@pytest.mark.parametrize("text", ["", "{", "[]", '{"key": 1}', "\x00"])
def test_a_damaged_note_is_none(make_recipe: MakeRecipe, text: str) -> None:
    finish(make_recipe(), "a")
    (note,) = make_recipe().run_folder.glob("finished/*/ingest.json")
    note.write_text(text)
    assert finished_artifact(make_recipe(), "a", INGEST) is None


def test_a_model_outside_its_thresholds_still_ends_the_run(tmp_path: Path) -> None:
    verdict = {"metrics": {}, "failures": ["perplexity 900 > 100"], "blessed": False}
    (tmp_path / "metrics.json").write_text(json.dumps(verdict))
    with pytest.raises(BelowThreshold, match="not good enough to be pushed: perplexity 900 > 100"):
        check_blessed(tmp_path)


def test_the_command_answers_without_tfx(make_recipe: MakeRecipe, tmp_path: Path, root: Path) -> None:
    recipe = make_recipe()
    finish(recipe, "a")
    path = tmp_path / "tiny.json.yaml"
    path.write_text(recipe.model_dump_json(exclude_defaults=True))
    code = (
        "import sys\nfrom lstmlm.cli.app import run\ncode = run(sys.argv[1:])\n"
        "print('HEAVY', sorted(set(sys.modules) & {'tfx', 'tensorflow', 'apache_beam', 'ray'}), code)"
    )
    command = [sys.executable, "-c", code, "run", str(path), "--stage", "ingest", "--run-id", "a"]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True, timeout=120)
    assert done.stdout.splitlines()[-1] == "HEAVY [] 0", done.stdout + done.stderr
    assert ["ingest", "cached"] in [line.split()[:2] for line in done.stdout.splitlines()]
