"""Labels of texts and of words, from a corpus to predictions."""

from __future__ import annotations

import dataclasses
import json
import random
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import lstmlm
from lstmlm.corpus.ingest import ingest
from lstmlm.errors import UserError
from lstmlm.inference.run import infer
from lstmlm.models.weights import read_arrays
from lstmlm.progress import Silent
from lstmlm.publish.folder import read_manifest
from lstmlm.recipe.file import parse_recipe
from lstmlm.recipe.recipe import Recipe
from lstmlm.tasks.classify import TASK
from lstmlm.training.checkpoints.keras_file import from_keras_file, to_keras_file
from lstmlm.vocabulary.stage import train_tokenizer
from tests.stage_runs import run_stages

RECIPE = """
name: labels
task: classify
corpus: {train: train.jsonl, valid: valid.jsonl, max_dead_fraction: 0.1}
inference: {max_dead_fraction: 0.1, id: id}
tokenizer: {algorithm: word, vocabulary: 300}
examples: {max_source: 24, buckets: [8, 16]}
model: {embedding: 12, encoder_units: 10, units: 16, dropout: 0.1}
training: {steps: 120, batch: 16, warmup: 5, learning_rate: 0.02, evaluate_every: 60, checkpoint_every: 120, workers: 1,
  metric: accuracy}
decoding: {batch: 8}
"""
WORDS = ["the", "film", "is", "was", "very", "a", "it"]
KINDS = {"lovely": "good", "awful": "bad", "average": "so so"}
OPTIONS = {
    "one": {
        "pooling": ["last", "max", "mean", "attention"],
        "ngrams": 2,
        "ngram_buckets": 512,
        "ngram_ratios": True,
        "members": 2,
    },
    "many": {"label": "labels"},
    "tokens": {"label": "spans"},
    "article": {"network": "article"},
}


def rows(count: int, seed: int) -> Iterator[dict[str, Any]]:
    """Texts in which words decide: their label, their labels, or where they are."""
    draw = random.Random(seed)
    for number in range(count):
        words = [draw.choice(WORDS) for _ in range(draw.randrange(2, 12))]
        deciding = draw.sample(sorted(KINDS), 1 + number % 2)
        for word in deciding:
            words.insert(draw.randrange(len(words)), word)
        text = " ".join(words)
        spans = [[text.index(word), text.index(word) + len(word), KINDS[word]] for word in deciding]
        one = next(kind for word, kind in KINDS.items() if word in words)
        yield {"text": text, "label": one, "labels": [KINDS[word] for word in deciding], "spans": spans}


def recipe_of(folder: Path, kind: str, changes: Sequence[str] = ()) -> Recipe:
    """Returns the recipe of a kind, or of the network of the article."""
    options = {"kind": "one" if kind == "article" else kind, **OPTIONS[kind]}
    text = f"{RECIPE}task_options: {json.dumps(options)}\n"
    return parse_recipe(text, "labels", [f"corpus.root={folder}", f"output={folder / 'runs'}", *changes])


def write(path: Path, lines: Sequence[dict[str, Any]]) -> None:
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")


def predicted(recipe: Recipe, folder: Path, texts: Sequence[str]) -> list[dict[str, Any]]:
    found = TASK.predictor(folder / "export", recipe).predict([{"text": text} for text in texts], [0] * len(texts))
    return [dict(prediction.fields) for prediction in found]


@pytest.mark.slow
@pytest.mark.parametrize("kind", OPTIONS)
def test_labels_are_learnt_and_every_way_to_predict_agrees(kind: str, tmp_path: Path) -> None:
    learnt, held = list(rows(400, 1)), list(rows(60, 2))
    write(tmp_path / "train.jsonl", learnt)
    write(tmp_path / "valid.jsonl", [*held, {**held[0], "label": "never seen", "labels": ["never seen"]}])
    recipe = recipe_of(tmp_path, kind)
    run_stages(recipe, tmp_path)
    found = json.loads((tmp_path / "evaluation" / "metrics.json").read_text())
    metrics = found["metrics"]
    assert set(TASK.measured(recipe)) == set(metrics)
    assert metrics["accuracy"] > 0.85 > metrics["majority_accuracy"], metrics
    assert metrics.get("unseen_labels", 1) == 1
    assert found["tables"]["labels"]["good"]["f1"] > 0.9
    assert ("confusion" in found["tables"]) == (tmp_path / "evaluation" / "confusion.png").is_file() == (kind != "many")
    if kind != "tokens":
        assert read_manifest(tmp_path / "examples", "examples").facts["splits"]["valid"]["unseen_label"] == 1

    asked = [*({"text": row["text"], "id": n} for n, row in enumerate(held)), {"id": 60, "text": " "}, {"id": 61}]
    write(tmp_path / "asked.jsonl", asked)
    infer(recipe, tmp_path / "export", tmp_path / "predictions", Silent(), input=tmp_path / "asked.jsonl")
    files = sorted((tmp_path / "predictions").glob("predictions-*"))
    lines = [json.loads(line) for file in files for line in file.open()]
    letters = [json.loads(line) for line in (tmp_path / "predictions" / "dead_letters.jsonl").open()]
    assert [(letter["line"], letter["reason"]) for letter in letters] == [
        (61, "field 'text' is empty"),
        (62, "no field 'text' (there are 'id')"),
    ]
    assert [line["id"] for line in lines] == list(range(60))
    check_ways_to_predict(lines, tmp_path, kind)
    check_python(lines, tmp_path)
    check_keras(tmp_path)


def check_python(lines: Sequence[dict[str, Any]], folder: Path) -> None:
    """Checks that a loaded model gives what the batch job wrote."""
    found = lstmlm.load(folder / "export").classify([line["text"] for line in lines])
    for line, one in zip(lines, found, strict=True):
        assert one.label == line.get("label")
        assert list(one.labels) == line.get("labels", [])
        assert one.probabilities == line.get("probabilities", {})
        assert [dataclasses.asdict(span) for span in one.spans] == line.get("spans", [])


def check_keras(folder: Path) -> None:
    """Checks that a model whose weights went into a `.keras` file and back is the same model."""
    assert "parameters" in to_keras_file(folder / "model", folder / "model.keras")
    manifest = from_keras_file(folder / "model.keras", folder / "model", folder / "again")
    assert manifest.fingerprint != read_manifest(folder / "model").fingerprint
    before, after = (read_arrays(folder / name / "weights.npz") for name in ("model", "again"))
    assert before.keys() == after.keys()
    assert all((before[name] == after[name]).all() for name in before)
    with pytest.raises(UserError, match=r"none\.keras: cannot be read"):
        from_keras_file(folder / "none.keras", folder / "model", folder / "other")


def check_ways_to_predict(lines: Sequence[dict[str, Any]], folder: Path, kind: str) -> None:
    """Checks that a prediction has no neighbours, and that the SavedModel and int8 give the same ones."""
    few, served, rounded = (
        predicted(recipe_of(folder, kind, changes), folder, texts)
        for changes, texts in [
            ([], [line["text"] for line in lines[:3]]),
            (["decoding.backend=tensorflow"], [line["text"] for line in lines]),
            (["decoding.precision=int8"], [line["text"] for line in lines]),
        ]
    )
    bare = [{name: value for name, value in line.items() if name != "id"} for line in lines]
    assert few == bare[:3]
    assert len(rounded) == len(bare)
    if kind == "tokens":
        answers = [
            [[(s["start"], s["end"], s["label"]) for s in one["spans"]] for one in side] for side in (bare, served)
        ]
        assert answers[0] == answers[1]
        assert all(s["text"] == one["text"][s["start"] : s["end"]] for one in bare for s in one["spans"])
    else:
        name = "labels" if kind == "many" else "label"
        assert [one[name] for one in bare] == [one[name] for one in served]
        shares = [np.array([list(one["probabilities"].values()) for one in side]) for side in (bare, served, rounded)]
        assert np.abs(shares[0] - shares[1]).max() < 2e-5
        assert np.abs(shares[0] - shares[2]).mean() < 0.02


@pytest.mark.parametrize(
    ("kind", "row", "reason"),
    [
        ("one", {"text": "a"}, "no column 'label' (there are 'text')"),
        ("one", {"text": "a", "label": None}, "column 'label' has no label"),
        ("one", {"text": "a", "label": " "}, "column 'label' has no label"),
        ("one", {"text": "a", "label": 0.5}, "column 'label' is neither text nor a whole number"),
        ("one", {"text": "a", "label": ["b"]}, "column 'label' is neither text nor a whole number"),
        ("one", {"text": 3, "label": "b"}, "column 'text' is not text"),
        ("many", {"text": "a", "labels": []}, "column 'labels' has no label"),
        ("many", {"text": "a", "labels": "b"}, "column 'labels' is not a list of labels (task_options.separator"),
        ("many", {"text": "a", "labels": [None]}, "column 'labels' has no label"),
        ("tokens", {"text": "a b", "spans": [[0, 4, "x"]]}, "the span 0 to 4, and the text 3 characters"),
        ("tokens", {"text": "a b", "spans": [[1, 1, "x"]]}, "the span 1 to 1"),
        ("tokens", {"text": "a b", "spans": [[0, "x"]]}, "a span that is not [start, end, label]"),
        ("tokens", {"text": ["a", "b"], "spans": ["O"]}, "is not a list of 2 labels, one for each word of 'text'"),
        ("tokens", {"text": ["a", ""], "spans": ["O", "O"]}, "has a word that is not text"),
    ],
)
def test_a_row_that_has_no_label_is_a_dead_letter(kind: str, row: dict[str, Any], reason: str, tmp_path: Path) -> None:
    from lstmlm.task import BadRecord

    with pytest.raises(BadRecord) as caught:
        TASK.record(row, "x:1", recipe_of(tmp_path, kind))
    assert reason in str(caught.value)


def test_labels_are_text_or_whole_numbers(tmp_path: Path) -> None:
    one, many = recipe_of(tmp_path, "one"), recipe_of(tmp_path, "many", ["task_options.separator=,"])
    for value, label in [("pos", "pos"), (1, "1"), (1.0, "1"), (True, "true"), (" a ", "a")]:
        assert list(TASK.labels(TASK.record({"text": "t", "label": value}, "x:1", one))) == [label]
    found = TASK.record({"text": "t", "labels": "a, b,a"}, "x:1", many)
    assert list(TASK.labels(found)) == ["a", "b"]


def test_words_with_tags_are_the_same_as_a_text_with_spans(tmp_path: Path) -> None:
    recipe = recipe_of(tmp_path, "tokens")
    tagged = {"text": ["New", "York", "is", "big", "."], "spans": ["B-LOC", "I-LOC", "O", "O", "O"]}
    spanned = {"text": "New York is big .", "spans": [{"start": 0, "end": 8, "label": "LOC"}]}
    assert TASK.record(tagged, "x:1", recipe) == TASK.record(spanned, "x:1", recipe)
    assert list(TASK.labels(TASK.record(tagged, "x:1", recipe))) == ["O", "B-LOC", "I-LOC"]


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ("one", "every record of the train split has the label 'good': there is nothing to learn"),
        ("tokens", "no record of the train split has a labelled span"),
    ],
)
def test_one_class_by_itself_is_refused_before_training(kind: str, message: str, tmp_path: Path) -> None:
    write(tmp_path / "train.jsonl", [{"text": "a b", "label": "good", "spans": []}] * 40)
    write(tmp_path / "valid.jsonl", [{"text": "a b", "label": "good", "spans": []}])
    recipe = recipe_of(tmp_path, kind)
    ingest(recipe, tmp_path / "records", Silent())
    with pytest.raises(UserError, match=message) as caught:
        train_tokenizer(recipe, tmp_path / "records", tmp_path / "tokenizer", Silent())
    assert "task_options.label" in str(caught.value)


def test_a_precision_that_no_model_of_labels_has_is_refused(tmp_path: Path) -> None:
    changes = ["decoding.backend=tensorflow", "decoding.precision=bfloat16"]
    with pytest.raises(UserError, match="predict in float32 or int8, not in bfloat16"):
        TASK.check_recipe(recipe_of(tmp_path, "one", changes))
