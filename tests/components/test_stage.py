"""The component of every stage, and what hooks add to some."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from lstmlm.errors import BelowThreshold, UserError
from lstmlm.progress import Silent
from lstmlm.recipe.recipe import Recipe
from lstmlm.stages import STAGES, Input, Node, Stage
from lstmlm.storage import StorePath

pytestmark = [pytest.mark.tfx, pytest.mark.slow]

RECIPE = Recipe.model_validate({"name": "r", "task": "generate", "corpus": {"train": "a.txt"}})


def artifact(kind: Any, path: Path) -> Any:
    path.mkdir(parents=True, exist_ok=True)
    found = kind()
    found.uri = str(path)
    return found


def do(stage: str, inputs: dict[str, Any], outputs: dict[str, Any]) -> None:
    """Runs the component of a stage as TFX does."""
    from components.executor import StageExecutor
    from components.recipe_sections import sections

    properties = {"stage": stage, "recipe": sections(RECIPE, STAGES[stage]), "version": "1.1", "files": ""}
    one = {key: [value] for key, value in inputs.items()}
    StageExecutor().Do(one, {key: [value] for key, value in outputs.items()}, properties)


def replace(monkeypatch: pytest.MonkeyPatch, stage: str, function: Any) -> None:
    monkeypatch.setattr(STAGES[stage].function.replace(":", "."), function)


def run_evaluator(monkeypatch: pytest.MonkeyPatch, path: Path, *, blessed: bool) -> Any:
    from tfx.types import standard_artifacts

    from components import artifacts

    def stage(recipe: Recipe, export: Path, records: Path, output: Path, progress: object) -> None:
        assert export == path / "model" / "Format-Serving"
        (output / "metrics.json").write_text(json.dumps({"blessed": blessed}), encoding="utf-8")

    replace(monkeypatch, "evaluate", stage)
    blessing = artifact(standard_artifacts.ModelBlessing, path / "blessing")
    model = artifact(standard_artifacts.Model, path / "model")
    model.id = 17
    inputs = {"model": model, "records": artifact(standard_artifacts.Examples, path / "records")}
    do("evaluate", inputs, {"evaluation": artifact(artifacts.Evaluation, path / "evaluation"), "blessing": blessing})
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

    replace(monkeypatch, "infer", lambda *_, **__: pytest.fail("must not be called"))
    model = artifact(standard_artifacts.PushedModel, tmp_path / "model")
    model.set_int_custom_property("pushed", 0)
    inputs = {"pushed_model": model, "records": artifact(standard_artifacts.Examples, tmp_path / "records")}
    with pytest.raises(BelowThreshold):
        do("infer", inputs, {"predictions": artifact(artifacts.Predictions, tmp_path / "predictions")})


def test_the_trainer_hands_on_progress_and_cluster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from tfx.types import standard_artifacts

    from components import artifacts
    from components.runtime import Runtime, current, use

    seen: list[object] = []
    replace(monkeypatch, "train", lambda *_, **named: seen.extend([named["progress"], named["ray_address"]]))
    inputs = {
        "examples": artifact(standard_artifacts.Examples, tmp_path / "examples"),
        "tokenizer": artifact(artifacts.Tokenizer, tmp_path / "tokenizer"),
    }
    listener = Silent()
    with use(Runtime(listener, "ray://head:10001")):
        do("train", inputs, {"model": artifact(artifacts.TrainingRun, tmp_path / "model")})
    assert seen == [listener, "ray://head:10001"]
    assert current().ray_address is None


def test_the_exporter_writes_where_pusher_looks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from tfx.types import standard_artifacts
    from tfx.utils import path_utils

    from components import artifacts

    replace(monkeypatch, "export", lambda recipe, model, tokenizer, output, progress: output.mkdir())
    inputs = {
        "training_run": artifact(artifacts.TrainingRun, tmp_path / "run"),
        "tokenizer": artifact(artifacts.Tokenizer, tmp_path / "tokenizer"),
    }
    model = artifact(standard_artifacts.Model, tmp_path / "model")
    do("export", inputs, {"model": model})
    assert Path(path_utils.serving_model_path(model.uri)).is_dir()


def test_ingest_names_the_splits_for_the_statistics(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from tfx.types import standard_artifacts

    replace(monkeypatch, "ingest", lambda recipe, output, progress: None)
    records = artifact(standard_artifacts.Examples, tmp_path / "records")
    do("ingest", {}, {"records": records})
    assert records.splits == ["train", "valid"]


def test_a_row_is_all_that_a_new_component_needs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from tfx.types import standard_artifacts

    from components import artifacts

    def letters(recipe: Recipe, records: Path, output: Path, progress: object) -> None:
        assert recipe.corpus == RECIPE.corpus
        (output / "letters").write_text(records.name, encoding="utf-8")

    monkeypatch.setattr("lstmlm.corpus.ingest.letters", letters, raising=False)
    added = Stage(
        name="letters",
        help="Count letters.",
        function="lstmlm.corpus.ingest:letters",
        kind="letters",
        version=1,
        inputs=(Input("records", "ingest"),),
        node=Node("Letters", "letters"),
    )
    monkeypatch.setitem(STAGES, "letters", added)
    records = artifact(standard_artifacts.Examples, tmp_path / "records")
    do("letters", {"records": records}, {"letters": artifact(artifacts.Folder, tmp_path / "letters")})
    assert (tmp_path / "letters" / "letters").read_text(encoding="utf-8") == "records"


def test_artifacts_in_an_object_store_are_used_there_and_others_refused() -> None:
    from tfx.types import standard_artifacts

    from components.artifacts import folder

    found = standard_artifacts.Model()
    found.uri = "s3://bucket/model"
    assert folder(found) == StorePath("s3://bucket/model")
    found.uri = "hdfs://name/model"
    with pytest.raises(UserError, match="artifacts in hdfs:// are not supported"):
        folder(found)


def test_a_file_uri_is_a_folder() -> None:
    from tfx.types import standard_artifacts

    from components.artifacts import folder

    found = standard_artifacts.Model()
    found.uri = "file:///data/model"
    assert folder(found) == Path("/data/model")
