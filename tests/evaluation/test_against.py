"""A model may not be worse than an earlier one by more than its bound."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from lstmlm.errors import UserError
from lstmlm.evaluation.against import against_fingerprint, worsened
from lstmlm.evaluation.run import evaluate
from lstmlm.export import export
from lstmlm.progress import Silent
from lstmlm.publish.folder import publish, read_manifest
from lstmlm.recipe.file import draft_recipe, parse_recipe
from lstmlm.recipe.plan import plan_faults
from lstmlm.recipe.recipe import Recipe
from lstmlm.recipe.sections.evaluation import Threshold
from lstmlm.task import load_task
from tests.tiny import RECIPE, untrained

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(
    ("metric", "own", "before", "bound", "message"),
    [
        ("bleu", 29.5, 30.0, 0.5, None),
        ("bleu", 29.4, 30.0, 0.5, "bleu is 29.4, worse than the earlier model's 30 by 0.6, more than 0.5"),
        ("bleu", 40.0, 30.0, 0.0, None),
        ("perplexity", 110.0, 100.0, 5.0, "perplexity is 110, worse than the earlier model's 100 by 10, more than 5"),
        ("perplexity", 90.0, 100.0, 0.0, None),
        ("bleu", float("nan"), 30.0, 5.0, "bleu cannot be compared with that of the earlier model: nan and 30"),
    ],
)
def test_a_metric_may_get_worse_by_its_bound_only(
    metric: str, own: float, before: float, bound: float, message: str | None
) -> None:
    task = load_task("translate" if metric == "bleu" else "generate")
    found = list(worsened({metric: own}, {metric: before}, {metric: Threshold(worse=bound)}, task))
    assert [text.replace("30.0", "30") for text in found] == ([] if message is None else [message])


def recipe_of(stages: Path, *changes: str) -> Recipe:
    return parse_recipe(RECIPE, "tiny", [f"corpus.root={stages}", *changes])


def made(stages: Path, folder: Path, *changes: str) -> Path:
    recipe = recipe_of(stages, *changes)
    untrained(recipe, stages / "tokenizer", folder / "model")
    export(recipe, folder / "model", stages / "tokenizer", folder / "export", Silent())
    return folder / "export"


def test_an_earlier_model_of_another_size_is_measured_on_the_same_records(stages: Path, tmp_path: Path) -> None:
    earlier, now = made(stages, tmp_path / "earlier", "model.units=16"), made(stages, tmp_path / "now", "seed=3")
    bound = "evaluation.thresholds.perplexity={worse: 0.0001}"
    single = evaluate(
        recipe_of(stages, "model.units=16"), earlier, stages / "records", tmp_path / "e1", Silent()
    ).facts["metrics"]
    recipe = recipe_of(stages, "seed=3", bound, f"evaluation.against={earlier}")
    facts = evaluate(recipe, now, stages / "records", tmp_path / "e2", Silent()).facts
    assert facts["against"] == single
    assert facts["blessed"] == (facts["metrics"]["perplexity"] <= single["perplexity"] + 0.0001)
    other = recipe_of(stages, "seed=3", bound, f"evaluation.against={now}")  # itself
    itself = evaluate(other, now, stages / "records", tmp_path / "e3", Silent())
    assert itself.facts["blessed"]
    assert itself.fingerprint != read_manifest(tmp_path / "e2").fingerprint


def test_without_an_earlier_model_the_bound_is_reported_to_bound_nothing(stages: Path, tmp_path: Path) -> None:
    now = made(stages, tmp_path)
    recipe = recipe_of(stages, "evaluation.thresholds.perplexity={worse: 1.0}")
    facts = evaluate(recipe, now, stages / "records", tmp_path / "e", Silent()).facts
    assert facts["blessed"]
    assert any("no earlier model" in text for text in facts["warnings"])


def test_last_blessed_outside_of_a_pipeline_and_another_task_are_refused(stages: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"^evaluation\.against: `last_blessed` is known in `lstmlm run` only"):
        against_fingerprint(recipe_of(stages, "evaluation.against=last_blessed"))
    now = made(stages, tmp_path)
    content = json.loads((now / "model.json").read_text())
    content["recipe"]["task"] = "translate"
    (tmp_path / "other").mkdir()
    with publish(tmp_path / "other/export", "export") as draft:
        (draft.path / "model.json").write_text(json.dumps(content))
    recipe = recipe_of(stages, f"evaluation.against={tmp_path / 'other/export'}")
    with pytest.raises(UserError, match="is a model for task translate, and this recipe is for generate"):
        evaluate(recipe, now, stages / "records", tmp_path / "e", Silent())


def test_a_bound_without_a_model_to_compare_with_is_a_fault_of_the_recipe(stages: Path) -> None:
    draft = draft_recipe(RECIPE, "tiny", ["evaluation.thresholds.perplexity={worse: 1.0}"])
    assert draft.recipe is not None
    (fault,) = plan_faults(draft, draft.recipe)
    assert "evaluation.against" in fault.what


def test_a_threshold_without_the_bound_is_written_as_before() -> None:
    assert Threshold(min=1.0).model_dump() == {"min": 1.0, "max": None}
    assert Threshold(worse=1.0).model_dump() == {"min": None, "max": None, "worse": 1.0}
