"""Outputs are decoded during training, shared out among the workers, and decide when it stops."""

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import ClassVar

import pytest
import tensorflow as tf

from lstmlm.evaluation.metric import TextMetric
from lstmlm.records.shards import shard_files
from lstmlm.task import Better, load_task
from lstmlm.tasks.translate import Translate
from lstmlm.training.metrics import decoded as outputs
from lstmlm.training.workers.all_reduce import SingleWorker
from lstmlm.training.workers.worker import train_worker

pytestmark = pytest.mark.slow


class Together:
    """A group of threads."""

    def __init__(self, rank, barrier, sent):
        self.rank, self.world, self._barrier, self._sent = rank, barrier.parties, barrier, sent

    def sum(self, values):
        self._sent[self.rank] = list(values)
        self._barrier.wait()
        return [tf.add_n(column) for column in zip(*self._sent.values(), strict=True)]


def change(recipe, **training):
    return recipe.model_copy(update={"training": recipe.training.model_copy(update=training)})


@pytest.fixture
def heard(monkeypatch):
    """What the task was asked to compare."""
    calls = []

    def compare(self, outputs, references, sources, recipe):
        calls.append((list(outputs), [list(texts) for texts in references], list(sources)))
        return {"bleu": 1.0, "chrf": 2.0, "signature": "left out"}

    monkeypatch.setattr(Translate, "compare", compare)
    return calls


@pytest.fixture
def eagerly():
    """Sums in Python run in the thread that asks for them."""
    tf.config.run_functions_eagerly(True)
    yield
    tf.config.run_functions_eagerly(False)


def test_all_workers_get_the_outputs_that_one_decodes(pair_recipe, pair_stages, heard, eagerly, monkeypatch):
    monkeypatch.setattr(outputs, "ROWS", 4)
    recipe = change(pair_recipe, evaluate_records=14)
    valid = shard_files(pair_stages / "examples", "valid")
    model = load_task("translate").build(recipe, 500)

    def measure(group):
        return (
            load_task("translate").output_metric_probe(recipe, valid, pair_stages / "tokenizer", model, group).measure()
        )

    assert measure(SingleWorker()) == {"bleu": 1.0, "chrf": 2.0}
    barrier, sent = threading.Barrier(3), {}
    with ThreadPoolExecutor(3) as pool:
        measured = list(pool.map(measure, [Together(rank, barrier, sent) for rank in range(3)]))
    assert measured == [measure(SingleWorker())] * 3
    assert len(heard) == 5
    assert all(call == heard[0] for call in heard)
    texts, references, sources = heard[0]
    assert len(texts) == len(references) == 14
    assert any(texts)
    pairs = [(source.upper(), target) for source, (target,) in zip(sources, references, strict=True)]
    # An example may be cut, its source elsewhere than its target.
    assert all(source.startswith(target) or target.startswith(source) for source, target in pairs)


class Words(TextMetric):
    """How many words outputs have."""

    values: ClassVar[dict[str, Better]] = {"words": "higher"}

    def measure(self, outputs):
        assert len(outputs.sources) == len(outputs.texts)
        return {"words": float(sum(len(text.split()) for text in outputs.texts))}


def test_training_goes_by_a_metric_that_the_recipe_adds(pair_recipe, pair_stages, tmp_path):
    name = f"{Words.__module__}:{Words.__qualname__}"
    evaluation = pair_recipe.evaluation.model_copy(update={"metrics": (name,)})
    plan = {"steps": 4, "evaluate_every": 2, "evaluate_records": 5}
    for metric in ("words", "bleu"):
        recipe = change(pair_recipe.model_copy(update={"evaluation": evaluation}), metric=metric, **plan)
        folder = tmp_path / metric
        folder.mkdir()
        train_worker(
            recipe, pair_stages / "examples", pair_stages / "tokenizer", folder, SingleWorker(), lambda row: None
        )
        rows = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
        assert [row["valid_words"] >= 0 for row in rows if "valid_words" in row] == [True] * (2 * (metric == "words"))
        assert all("valid_bleu" in row for row in rows if "valid_loss" in row)


def test_training_stops_by_what_it_writes_and_keeps_the_best(pair_recipe, pair_stages, tmp_path, monkeypatch):
    scores = iter([1.0, 5.0, 3.0, 4.0])
    monkeypatch.setattr(Translate, "compare", lambda *_: {"bleu": next(scores), "chrf": 0.0})
    plan = {"steps": 40, "evaluate_every": 2, "metric": "bleu", "early_stop": 2, "evaluate_records": 5}
    recipe = change(pair_recipe, **plan)
    position = train_worker(
        recipe, pair_stages / "examples", pair_stages / "tokenizer", tmp_path, SingleWorker(), lambda row: None
    )
    assert position.step == 8
    rows = [json.loads(line) for line in (tmp_path / "metrics.jsonl").read_text().splitlines()]
    rows = [row for row in rows if "valid_loss" in row]
    assert [row["valid_bleu"] for row in rows] == [1.0, 5.0, 3.0, 4.0]
    assert [row["best_step"] for row in rows] == [2, 4, 4, 4]
    assert rows[0].keys() == {"step", "valid_loss", "valid_perplexity", "valid_bleu", "valid_chrf", "best_step"}
    assert [path.name for path in tmp_path.glob("best-*")] == ["best-00000004.npz"]
