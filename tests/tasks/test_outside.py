"""Tasks that are defined outside of the package go from a corpus to predictions, with no other file changed.

One predicts a label with a softmax over an LSTM's encoding of a text, the other the class of a series of float vectors.
Both are named as `package.module:Class`, and have options of their own in the recipe.
"""

from __future__ import annotations

import collections
import json
import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
import tensorflow as tf
from pydantic import Field

from lstmlm.bases.one_pass import OnePassTask
from lstmlm.errors import UserError
from lstmlm.inference.run import infer
from lstmlm.models.base import OnePass
from lstmlm.models.dense import Dense
from lstmlm.models.lstm import LSTM, glorot
from lstmlm.progress import Silent
from lstmlm.publish.folder import read_manifest
from lstmlm.recipe.file import parse_recipe
from lstmlm.recipe.recipe import Recipe
from lstmlm.recipe.sections.section import FROM_DATA, Positive, Section
from lstmlm.records.record import Record
from lstmlm.records.shards import records_in
from lstmlm.task import BadRecord, Better, Feature, OutputColumn, Prediction, request_text, stored_task, text_of
from tests.stage_runs import run_stages


class Encoding(OnePass):
    """A label from a softmax over the last state of an LSTM, which reads embedded tokens or vectors as they are."""

    def __init__(self, width: int, units: int, labels: int, seed: int, *, vocabulary: int = 0) -> None:
        super().__init__(name="encoding")
        generator = tf.random.Generator.from_seed(seed)
        self.tokens = vocabulary > 0
        if self.tokens:
            self.embedding = tf.Variable(glorot(generator, vocabulary, width), name="embedding")
        self.lstm = LSTM(width, units, generator, precision=tf.float32, name="lstm")
        self.softmax = Dense(units, labels, generator, precision=tf.float32, name="softmax")

    def logits(self, batch: Mapping[str, tf.Tensor]) -> tf.Tensor:
        values = tf.gather(self.embedding, batch["tokens"]) if self.tokens else batch["frames"]
        lengths = tf.math.count_nonzero(batch["tokens"], axis=1) if self.tokens else batch["frames_length"]
        outputs, _ = self.lstm(tf.transpose(values, [1, 0, 2]), self.lstm.zero_state(tf.shape(values)[0]))
        last = tf.maximum(tf.cast(lengths, tf.int32) - 1, 0)
        return self.softmax(tf.gather(tf.transpose(outputs, [1, 0, 2]), last, batch_dims=1))

    def loss(self, batch, *, noise, smoothing):
        nats = tf.nn.sparse_softmax_cross_entropy_with_logits(batch["label"], self.logits(batch))
        return tf.reduce_sum(nats * tf.cast(batch["is_example"], tf.float32)), self.weight(batch)

    def weight(self, batch):
        return tf.reduce_sum(tf.cast(batch["is_example"], tf.float32))

    def predict(self, batch):
        return {"probabilities": tf.nn.softmax(self.logits(batch))}


class LabelOptions(Section):
    """Options of both tasks."""

    label: str = Field("label", description="Column of the label.")
    units: Positive = 12


class Labelling(OnePassTask):
    """What both tasks have in common: one label a record, measured by accuracy."""

    Options = LabelOptions
    output_metrics: ClassVar[Mapping[str, Better]] = {"accuracy": "higher"}
    baselines: ClassVar[Mapping[str, tuple[str, ...]]] = {"accuracy": ("majority_accuracy",)}

    def labels(self, record: Record) -> Iterable[str]:
        yield str(record.columns["label"])

    def numbers(self, block: Sequence[Record], labels: Sequence[str], counts: collections.Counter[str]) -> np.ndarray:
        counts["examples"] += len(block)
        return np.array([labels.index(str(record.columns["label"])) for record in block], np.int64)

    def measured(self, recipe: Recipe) -> Sequence[str]:
        return ["accuracy", "majority_accuracy"]

    def outputs(self, predicted, labels, recipe):
        shares = predicted["probabilities"]
        return {
            "label": tf.gather(tf.constant(labels), tf.argmax(shares, axis=1)),
            "confidence": tf.reduce_max(shares, axis=1),
        }

    def measure(self, predictions, records, recipe):
        truth = [record.columns["label"] for record in records]
        right = sum(one.fields["label"] == label for one, label in zip(predictions, truth, strict=True))
        most = max(collections.Counter(truth).values())
        return {"accuracy": right / len(truth), "majority_accuracy": most / len(truth)}

    def measure_batch(self, predicted, batch, recipe):
        right = (predicted["probabilities"].argmax(axis=1) == batch["label"]) * batch["is_example"]
        return {"accuracy": (float(right.sum()), float(batch["is_example"].sum()))}


class Polarity(Labelling):
    """The label of a text."""

    def columns(self, recipe: Recipe) -> Sequence[str]:
        return [recipe.corpus.source, recipe.task_options.label]

    def record(self, row: Mapping[str, Any], record_id: str, recipe: Recipe) -> Record:
        label = text_of(row, recipe.task_options.label)
        return Record(record_id, text_of(row, recipe.corpus.source), columns={"label": label})

    def features(self, recipe: Recipe) -> Mapping[str, Feature]:
        return {"tokens": Feature("tokens"), "label": Feature("int", ())}

    def encode(self, blocks, tokenizer, recipe, counts) -> Iterator[Mapping[str, Any]]:
        for block in blocks:
            tokens, cut = tokenizer.encode_closed([r.source for r in block]).cut(recipe.examples.max_source)
            counts["tokens"] += tokens.tokens
            counts["truncated_source"] += cut
            yield {"tokens": tokens, "label": self.numbers(block, tokenizer.labels, counts)}

    def build(self, recipe: Recipe, vocabulary: int, labels: Sequence[str] = ()) -> OnePass:
        sizes = recipe.model.embedding, recipe.task_options.units, len(labels), recipe.seed
        return Encoding(*sizes, vocabulary=vocabulary)

    def inputs(self, recipe):
        return {"text": tf.TensorSpec([None], tf.string)}

    def batch_of(self, inputs, tokenizer, recipe):
        return {"tokens": tokenizer.closed(inputs["text"], recipe.examples.max_source)[0]}

    def request(self, row: Mapping[str, Any], recipe: Recipe) -> dict[str, Any]:
        return {"text": request_text(row, recipe.inference.field)}

    def request_of(self, record: Record) -> dict[str, Any]:
        return {"text": record.source}

    def prediction(self, request, outputs, recipe) -> Prediction:
        return Prediction({"text": request["text"], **outputs})

    def schema(self, recipe: Recipe) -> Mapping[str, OutputColumn]:
        kinds = {"id": "id", "text": "text", "label": "text", "confidence": "float"}
        return {name: OutputColumn(kind) for name, kind in kinds.items()}


class Movement(Labelling):
    """The label of a series of vectors of three floats."""

    vocabulary = "none"

    def columns(self, recipe: Recipe) -> Sequence[str]:
        return ["frames", recipe.task_options.label]

    def record(self, row: Mapping[str, Any], record_id: str, recipe: Recipe) -> Record:
        columns = {"frames": flat(row.get("frames")), "label": text_of(row, recipe.task_options.label)}
        return Record(record_id, "", columns=columns)

    def features(self, recipe: Recipe) -> Mapping[str, Feature]:
        return {"frames": Feature("float", (None, 3)), "label": Feature("int", ())}

    def encode(self, blocks, tokenizer, recipe, counts) -> Iterator[Mapping[str, Any]]:
        for block in blocks:
            frames = [np.array(record.columns["frames"], np.float32).reshape(-1, 3) for record in block]
            counts["tokens"] += sum(map(len, frames))
            yield {"frames": frames, "label": self.numbers(block, tokenizer.labels, counts)}

    def build(self, recipe: Recipe, vocabulary: int, labels: Sequence[str] = ()) -> OnePass:
        assert vocabulary == 0
        return Encoding(3, recipe.task_options.units, len(labels), recipe.seed)

    def inputs(self, recipe):
        return {
            "frames": tf.TensorSpec([None, None, 3], tf.float32),
            "frames_length": tf.TensorSpec([None], tf.int32),
        }

    def batch_of(self, inputs, tokenizer, recipe):
        assert tokenizer is None
        return inputs

    def request_columns(self, recipe: Recipe) -> Sequence[str]:
        return ["frames"]

    def request(self, row: Mapping[str, Any], recipe: Recipe | None) -> dict[str, Any]:
        values = flat(row.get("frames"))
        return {"frames": np.array(values).reshape(-1, 3).tolist(), "frames_length": len(values) // 3}

    def request_of(self, record: Record) -> dict[str, Any]:
        return self.request({"frames": np.array(record.columns["frames"]).reshape(-1, 3).tolist()}, None)

    def schema(self, recipe: Recipe) -> Mapping[str, OutputColumn]:
        return {name: OutputColumn(kind) for name, kind in {"id": "id", "label": "text", "confidence": "float"}.items()}


def flat(frames: Any) -> tuple[float, ...]:
    if not isinstance(frames, list) or not frames or any(not isinstance(f, list) or len(f) != 3 for f in frames):
        raise BadRecord("column 'frames' is not a list of three numbers each")
    return tuple(float(value) for frame in frames for value in frame)


RECIPE = """
name: outside
task: {task}
corpus: {{train: data.jsonl, valid_fraction: 0.2, shards: 2, normalise: true}}
tokenizer: {{vocabulary: 280}}
examples: {{max_source: 24, buckets: [8]}}
model: {{embedding: 12}}
training:
  {{steps: 60, batch: 16, warmup: 5, learning_rate: 0.02, evaluate_every: 30, checkpoint_every: 30, workers: 1,
    metric: accuracy}}
evaluation: {{thresholds: {{accuracy: {{min: 0.9}}}}}}
decoding: {{batch: 8}}
task_options: {{label: kind, units: 10}}
"""


def texts(count: int) -> Iterator[dict[str, Any]]:
    draw = random.Random(1)
    for number in range(count):
        kind = ("good", "bad", "so so")[number % 3]
        words = [draw.choice(["the", "film", "is", "was", "very", "a", "it"]) for _ in range(draw.randrange(2, 12))]
        words.insert(draw.randrange(len(words)), {"good": "lovely", "bad": "awful", "so so": "average"}[kind])
        yield {"text": "  ".join(words), "kind": kind}


def series(count: int) -> Iterator[dict[str, Any]]:
    draw = random.Random(1)
    for number in range(count):
        slope = 1 if number % 2 else -1
        length = draw.randrange(3, 20)
        frames = [[slope * 0.3 + draw.gauss(0, 0.1), draw.random(), 0.5] for _ in range(length)]
        yield {"frames": frames, "kind": "up" if slope > 0 else "down"}


@pytest.fixture(params=["Polarity", "Movement"])
def recipe(request: pytest.FixtureRequest, tmp_path: Path) -> Recipe:
    """A recipe of each task."""

    rows = texts(180) if request.param == "Polarity" else series(180)
    (tmp_path / "data.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    text = RECIPE.format(task=f"{__name__}:{request.param}")
    return parse_recipe(text, "outside", [f"corpus.root={tmp_path}", f"output={tmp_path / 'runs'}"])


def lines(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for path in sorted(folder.glob("predictions-*")) for line in path.open()]


@pytest.mark.slow
def test_a_task_from_outside_goes_from_a_corpus_to_predictions(recipe: Recipe, tmp_path: Path) -> None:
    made = {name: tmp_path / name for name in ("records", "tokenizer", "examples", "model", "export", "evaluation")}
    run_stages(recipe, tmp_path)
    verdict = read_manifest(made["evaluation"], "evaluation").facts
    assert verdict["blessed"], verdict
    assert verdict["metrics"]["accuracy"] > verdict["metrics"]["majority_accuracy"]
    assert read_manifest(made["model"], "model").facts["valid_accuracy"] > 0.9

    rows = list(map(json.loads, (tmp_path / "data.jsonl").read_text().splitlines()))
    rows[3] = {"kind": "neither"}  # without what the task reads
    (tmp_path / "asked.jsonl").write_text("".join(json.dumps({**row, "note": n}) + "\n" for n, row in enumerate(rows)))
    asked = recipe.model_copy(update={"inference": recipe.inference.model_copy(update={"max_dead_fraction": 0.1})})
    infer(asked, made["export"], tmp_path / "predictions", Silent(), input=tmp_path / "asked.jsonl")
    found = lines(tmp_path / "predictions")
    assert [row["note"] for row in found] == [n for n in range(len(rows)) if n != 3]
    assert sum(row["label"] == row["kind"] for row in found) > 0.9 * len(found)
    assert all(0.3 < row["confidence"] <= 1.0 for row in found)
    (letter,) = map(json.loads, (tmp_path / "predictions" / "dead_letters.jsonl").open())
    assert letter["line"] == 4

    other = recipe.model_copy(update={"task_options": LabelOptions(label="kind", units=11)})
    with pytest.raises(UserError, match=r"task_options\.units=10, and the recipe has task_options\.units=11"):
        infer(other, made["export"], tmp_path / "other", Silent(), records=made["records"])

    infer(recipe, made["export"], tmp_path / "held", Silent(), records=made["records"])
    held = lines(tmp_path / "held")
    truth = {record.id: record.columns["label"] for record in records_in(made["records"], "valid")}
    right = sum(truth[row["id"]] == row["label"] for row in held)
    assert right / len(held) == verdict["metrics"]["accuracy"]


def test_the_options_of_a_task_are_checked_with_the_recipe() -> None:
    text = RECIPE.format(task=f"{__name__}:Polarity")
    for change, message in [
        ("task_options.unit=3", r"task_options\.unit: no such field\. Did you mean `units`\?"),
        ("task_options.units=none", r"task_options\.units: must be a whole number > 0, and is .*none"),
        ("task=translate", r"task_options: the task translate has no options\. Leave them out"),
    ]:
        with pytest.raises(UserError, match=message) as caught:
            parse_recipe(text, "outside.yaml", [change])
        assert "\n" not in str(caught.value)
    whole = parse_recipe(text, "outside.yaml")
    assert whole.task_options == LabelOptions(label="kind", units=10)
    assert Recipe.model_validate_json(whole.model_dump_json()) == whole
    assert parse_recipe(text.replace("task_options: {label: kind, units: 10}", ""), "x").task_options == LabelOptions()


def test_a_model_folder_cannot_name_code() -> None:
    with pytest.raises(UserError, match="only a recipe may name code"):
        stored_task(f"{__name__}:Polarity")


def test_a_recipe_that_a_folder_holds_imports_no_code() -> None:
    whole = parse_recipe(RECIPE.format(task=f"{__name__}:Polarity"), "outside.yaml")
    text = whole.model_dump_json().replace(f"{__name__}:Polarity", "no_such_package:Nothing")
    stored = Recipe.model_validate_json(text, context=FROM_DATA)
    assert stored.model_dump(mode="json")["task_options"] == {"label": "kind", "units": 10}
