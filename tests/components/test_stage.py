from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from lstmlm.errors import BelowThreshold, UserError
from lstmlm.progress import Silent
from lstmlm.recipe.recipe import Recipe

pytestmark = [pytest.mark.tfx, pytest.mark.slow]

RECIPE = Recipe.model_validate({"name": "r", "task": "generate", "corpus": {"train": "a.txt"}})


def artifact(kind: Any, path: Path) -> Any:
    path.mkdir(parents=True, exist_ok=True)
    found = kind()
    found.uri = str(path)
    return found


def properties(stage: str) -> dict[str, str]:
    from components.recipe_sections import sections
    from lstmlm.stages import STAGES

    return {"recipe": sections(RECIPE, STAGES[stage]), "version": "1.1"}


def run_evaluator(monkeypatch: pytest.MonkeyPatch, folder: Path, *, blessed: bool) -> Any:
    from tfx.types import standard_artifacts

    from components import artifacts
    from components.evaluator import executor

    def stage(recipe: Recipe, export: Path, records: Path, output: Path, progress: object) -> None:
        assert export == folder / "model" / "Format-Serving"
        (output / "metrics.json").write_text(json.dumps({"blessed": blessed}), encoding="utf-8")

    monkeypatch.setattr(executor, "stage", stage)
    blessing = artifact(standard_artifacts.ModelBlessing, folder / "blessing")
    model = artifact(standard_artifacts.Model, folder / "model")
    model.id = 17
    inputs = {"model": [model], "records": [artifact(standard_artifacts.Examples, folder / "records")]}
    outputs = {"evaluation": [artifact(artifacts.Evaluation, folder / "evaluation")], "blessing": [blessing]}
    executor.EvaluatorExecutor().Do(inputs, outputs, properties("evaluate"))
    return blessing


@pytest.mark.parametrize(("blessed", "file"), [(True, "BLESSED"), (False, "NOT_BLESSED")])
def test_the_blessing_is_one_that_the_stock_pusher_understands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, blessed: bool, file: str
) -> None:
    from tfx.components.util import model_utils

    blessing = run_evaluator(monkeypatch, tmp_path, blessed=blessed)
    assert model_utils.is_model_blessed(blessing) == blessed
    assert [path.name for path in Path(blessing.uri).iterdir()] == [file]
    assert blessing.get_int_custom_property("current_model_id") == 17


def test_inference_refuses_a_model_that_was_not_pushed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from tfx.types import standard_artifacts

    from components import artifacts
    from components.inference import executor

    monkeypatch.setattr(executor, "stage", lambda *_, **__: pytest.fail("must not be called"))
    model = artifact(standard_artifacts.PushedModel, tmp_path / "model")
    model.set_int_custom_property("pushed", 0)
    inputs = {"pushed_model": [model], "records": [artifact(standard_artifacts.Examples, tmp_path / "records")]}
    outputs = {"predictions": [artifact(artifacts.Predictions, tmp_path / "predictions")]}
    with pytest.raises(BelowThreshold):
        executor.InferenceExecutor().Do(inputs, outputs, properties("infer"))


def test_the_trainer_hands_on_progress_and_cluster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from tfx.types import standard_artifacts

    from components import artifacts
    from components.runtime import Runtime, current, use
    from components.trainer import executor

    seen: list[object] = []
    monkeypatch.setattr(executor, "stage", lambda *given, **named: seen.extend([given[-1], named["ray_address"]]))
    inputs = {
        "examples": [artifact(standard_artifacts.Examples, tmp_path / "examples")],
        "tokenizer": [artifact(artifacts.Tokenizer, tmp_path / "tokenizer")],
    }
    outputs = {"model": [artifact(artifacts.TrainingRun, tmp_path / "model")]}
    listener = Silent()
    with use(Runtime(listener, "ray://head:10001")):
        executor.TrainerExecutor().Do(inputs, outputs, properties("train"))
    assert seen == [listener, "ray://head:10001"]
    assert current().ray_address is None


def test_the_exporter_writes_where_pusher_looks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from tfx.types import standard_artifacts
    from tfx.utils import path_utils

    from components import artifacts
    from components.exporter import executor

    monkeypatch.setattr(executor, "stage", lambda recipe, model, tokenizer, output, progress: output.mkdir())
    inputs = {
        "training_run": [artifact(artifacts.TrainingRun, tmp_path / "run")],
        "tokenizer": [artifact(artifacts.Tokenizer, tmp_path / "tokenizer")],
    }
    model = artifact(standard_artifacts.Model, tmp_path / "model")
    executor.ExporterExecutor().Do(inputs, {"model": [model]}, properties("export"))
    assert Path(path_utils.serving_model_path(model.uri)).is_dir()


def test_artifacts_in_an_object_store_are_refused_with_a_cure() -> None:
    from tfx.types import standard_artifacts

    from components.stage import folder

    found = standard_artifacts.Model()
    found.uri = "s3://bucket/model"
    with pytest.raises(UserError, match="Mount it"):
        folder(found)


def test_a_file_uri_is_a_folder() -> None:
    from tfx.types import standard_artifacts

    from components.stage import folder

    found = standard_artifacts.Model()
    found.uri = "file:///data/model"
    assert folder(found) == Path("/data/model")
