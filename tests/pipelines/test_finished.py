"""What is known of finished stages without TFX."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from lstmlm.cli.app import run
from lstmlm.errors import BelowThreshold
from lstmlm.publish.folder import publish
from lstmlm.recipe.recipe import Recipe
from lstmlm.stages import STAGES, node_of, pipeline_stages
from pipelines.chosen import keep_choice, with_kept_choice
from pipelines.finished import check_blessed, finished_artifact, note_finished, run_content, run_is_finished

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


def finish_all(recipe: Recipe, run_id: str, failures: list[str]) -> None:
    """Notes every stage as finished, with published folders and a verdict."""
    for stage in pipeline_stages():
        if not node_of(stage).lookup:
            artifact = recipe.run_folder / "artifacts" / stage.name / "1"
            with publish(artifact, stage.kind or "tfx", "a result") as draft:
                verdict = {"metrics": {}, "failures": failures, "blessed": not failures}
                (draft.path / "metrics.json").write_text(json.dumps(verdict))
            note_finished(recipe, run_id, stage, artifact, stage.outside_fingerprint(recipe))


def test_a_run_is_finished_when_all_its_stages_have_published(make_recipe: MakeRecipe) -> None:
    recipe = make_recipe()
    finish_all(recipe, "a", [])
    assert run_is_finished(recipe, "a")
    assert not run_is_finished(recipe, "b")
    (recipe.run_folder / "artifacts" / "train" / "1" / "manifest.json").unlink()
    assert not run_is_finished(recipe, "a")
    assert not run_is_finished(recipe, "a", STAGES["train"])
    assert run_is_finished(recipe, "a", INGEST)


def test_a_run_whose_model_is_not_good_enough_is_finished_as_such(make_recipe: MakeRecipe) -> None:
    recipe = make_recipe()
    finish_all(recipe, "a", ["perplexity 900 > 100"])
    with pytest.raises(BelowThreshold, match="perplexity 900 > 100"):
        run_is_finished(recipe, "a")


def test_the_work_of_a_run_changes_with_its_recipe_and_its_files(make_recipe: MakeRecipe, tmp_path: Path) -> None:
    first = run_content(make_recipe())
    assert run_content(make_recipe()) == first
    assert run_content(make_recipe(training={"steps": 9})) != first
    with (tmp_path / "train.txt").open("a") as stream:
        stream.write("one more line\n")
    assert run_content(make_recipe()) != first


def test_a_submit_of_a_finished_run_asks_no_cluster(
    make_recipe: MakeRecipe, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    recipe, path = make_recipe(), tmp_path / "tiny.json.yaml"
    path.write_text(recipe.model_dump_json(exclude_defaults=True))
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # and nobody listens
        address = f"http://127.0.0.1:{taken.getsockname()[1]}"
        submit = ["submit", str(path), "--address", address, "--wait", "0", "--run-id", "a"]
        assert run(submit) == 75
        assert f"--address: no Ray job server answers at {address}" in capsys.readouterr().err
        finish_all(recipe, "a", [])
        assert run(submit) == 0
        assert f"lstmlm: the run a has finished; its results are in {recipe.run_folder}" in capsys.readouterr().err
        assert run([*submit[:-2], "--wait", "0"]) == 75  # another run: its id follows from the recipe
