"""The evaluate stage around a task's own measurements."""

import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest

from lstmlm.errors import UserError
from lstmlm.evaluation.run import evaluate
from lstmlm.progress import Silent
from lstmlm.publish.folder import publish
from lstmlm.recipe.recipe import Recipe
from lstmlm.records.record import Record, serialize
from lstmlm.records.shards import shard_path
from lstmlm.records.tfrecord import write_records


class FakeTask:
    """A fake task: returns given metrics, and remembers what it was asked."""

    output_metrics: ClassVar[dict[str, str]] = {}
    baselines: ClassVar[dict[str, tuple[str, ...]]] = {"perplexity": ("unigram_perplexity",)}

    def __init__(self, metrics: dict[str, Any]) -> None:
        self.metrics = metrics
        self.asked: list[tuple[Path, list[Record], Path]] = []

    def evaluate(self, export: Path, records: Sequence[Record], training: Path, recipe: Recipe) -> dict[str, Any]:
        self.asked.append((export, list(records), training))
        return self.metrics

    def decoding_stamp(self, recipe: Recipe) -> Sequence[str]:
        return []

    def report(self, measured: dict[str, Any], folder: Path, recipe: Recipe) -> None:
        if "confusion" in measured:
            (folder / "table.txt").write_text(str(measured["confusion"]))


@pytest.fixture
def task(monkeypatch: pytest.MonkeyPatch) -> FakeTask:
    """The task of the recipe."""
    task = FakeTask({"bleu": np.float32(31.5), "tokens": np.int64(7), "signature": "v:1", "loss": math.nan})
    monkeypatch.setattr("lstmlm.evaluation.run.load_task", lambda name: task)
    return task


def folders(tmp_path: Path, valid: int = 3) -> tuple[Path, Path]:
    """An export and a records folder."""
    with publish(tmp_path / "export", "export", "e1"):
        pass
    with publish(tmp_path / "records", "records", "r1") as draft:
        path = shard_path(draft.path, "valid", 0, 1)
        path.parent.mkdir()
        write_records(path, (serialize(Record(f"r{i}", "text")) for i in range(valid)))
    return tmp_path / "export", tmp_path / "records"


def recipe(**thresholds: dict[str, float]) -> Recipe:
    evaluation = {"thresholds": thresholds}
    return Recipe.model_validate(
        {"name": "test", "task": "generate", "corpus": {"train": "x.txt"}, "evaluation": evaluation}
    )


def test_a_good_model_is_blessed(tmp_path: Path, task: FakeTask) -> None:
    export, records = folders(tmp_path)
    manifest = evaluate(recipe(bleu={"min": 30}), export, records, tmp_path / "out", Silent())
    written = json.loads((tmp_path / "out" / "metrics.json").read_text())
    metrics = {"bleu": 31.5, "tokens": 7, "signature": "v:1", "loss": "nan"}
    warnings = ["loss is nan, not a finite number: the model is of no use"]
    assert written == {"metrics": metrics, "failures": [], "warnings": warnings, "blessed": True} == manifest.facts
    ((asked_export, asked_records, training),) = task.asked
    assert (asked_export, training) == (export, records / "Split-train")
    assert [record.id for record in asked_records] == ["r0", "r1", "r2"]


def test_a_bad_model_is_a_result_with_reasons(tmp_path: Path, task: FakeTask) -> None:
    export, records = folders(tmp_path)
    run = recipe(bleu={"min": 40}, loss={"max": 1}, blue={"min": 1})
    manifest = evaluate(run, export, records, tmp_path / "out", Silent())
    assert manifest.facts["blessed"] is False
    assert [sentence.split()[0] for sentence in manifest.facts["failures"]] == ["bleu", "blue", "loss"]


def test_a_finished_evaluation_is_kept(tmp_path: Path, task: FakeTask) -> None:
    export, records = folders(tmp_path)
    for _ in range(2):
        evaluate(recipe(), export, records, tmp_path / "out", Silent())
    assert len(task.asked) == 1
    with pytest.raises(UserError, match="not empty"):
        evaluate(recipe(bleu={"min": 1}), export, records, tmp_path / "out", Silent())


def test_mistakes_are_found_before_measuring(tmp_path: Path, task: FakeTask) -> None:
    export, records = folders(tmp_path, valid=0)
    cases = [
        (recipe(), export, "valid split is empty"),
        (recipe(bleu={"min": 2, "max": 1}), export, "above max"),
        (recipe(), records, "expected a folder of kind `export`, found `records`"),
        (recipe(), tmp_path / "none", "not a finished result"),
    ]
    for run, folder, words in cases:
        with pytest.raises(UserError, match=words):
            evaluate(run, folder, records, tmp_path / "out", Silent())
    assert task.asked == []
    assert not (tmp_path / "out").exists()


def test_tables_are_published_next_to_the_metrics(task: FakeTask, tmp_path: Path) -> None:
    task.metrics = {"accuracy": 0.5, "confusion": {"labels": ["a"], "counts": [[1]]}}
    export, records = folders(tmp_path)
    manifest = evaluate(recipe(), export, records, tmp_path / "evaluation", Silent())
    found = json.loads((tmp_path / "evaluation" / "metrics.json").read_text())
    assert found["metrics"] == {"accuracy": 0.5}
    assert found["tables"] == {"confusion": {"labels": ["a"], "counts": [[1]]}}
    assert (tmp_path / "evaluation" / "table.txt").is_file()
    assert "tables" not in manifest.facts
