"""Question answering goes from a corpus to answers with exact places, windows, dead letters and documents included."""

from __future__ import annotations

import dataclasses
import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import tensorflow as tf

import lstmlm
from lstmlm.errors import UserError
from lstmlm.inference.run import infer
from lstmlm.progress import Silent
from lstmlm.publish.folder import read_manifest
from lstmlm.recipe.file import parse_recipe
from lstmlm.recipe.recipe import Recipe
from lstmlm.records.shards import records_in
from lstmlm.task import Prediction, load_task
from tests.stage_runs import run_stages

pytestmark = pytest.mark.slow

RECIPE = """
name: homes
task: answer
corpus: {train: data.jsonl, valid_fraction: 0.2, shards: 2, normalise: true, source: context, id: id}
tokenizer: {vocabulary: 300}
examples: {max_source: 48, buckets: [24]}
model: {embedding: 16, encoder_units: 12, units: 12, layers: 1, dropout: 0.0}
training:
  {steps: 120, batch: 32, warmup: 5, learning_rate: 0.02, evaluate_every: 60, checkpoint_every: 60, workers: 1,
    metric: exact}
evaluation: {thresholds: {exact: {min: 60}}}
decoding: {batch: 8}
inference: {field: context, id: id}
task_options: {stride: 24, max_answer: 8}
"""
NAMES = ["Anna", "Bert", "Carla", "David", "Elena", "Frank", "Greta", "Hugo"]
CITIES = ["Paris", "Rome", "Lima", "Oslo", "Cairo", "New Delhi", "São Paulo", "東京"]


def rows(count: int) -> Iterator[dict[str, Any]]:
    """Yields passages of some sentences, written untidily: normalisation moves every answer."""
    draw = random.Random(1)
    for number in range(count):
        people, places = draw.sample(NAMES, 4), draw.sample(CITIES, 4)
        context = "  ".join(f"{who}  lives in {where} ." for who, where in zip(people, places, strict=True))
        asked = draw.randrange(4)
        # The places of the answers count from the end of two spaces more.
        context = f"  {context}"
        yield {
            "id": f"q{number}",
            "context": context,
            "question": f"Where does {people[asked]} live?",
            "answers": {"text": [places[asked]], "answer_start": [context.index(places[asked])]},
        }


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Recipe, Path]:
    """A recipe with nested columns, and the folder of all its stages."""
    folder = tmp_path_factory.mktemp("answer")
    (folder / "data.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows(250)), encoding="utf-8")
    options = ["task_options.answers=answers.text", "task_options.answer_start=answers.answer_start"]
    recipe = parse_recipe(RECIPE, "homes", [f"corpus.root={folder}", f"output={folder / 'runs'}", *options])

    run_stages(recipe, folder)
    return recipe, folder


def predictions(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for path in sorted(folder.glob("predictions-*")) for line in path.open()]


def test_it_learns_where_people_live(made: tuple[Recipe, Path]) -> None:
    _, folder = made
    verdict = read_manifest(folder / "evaluation", "evaluation").facts
    assert verdict["blessed"], verdict
    assert verdict["metrics"]["f1"] > verdict["metrics"]["window_f1"] + 15
    assert verdict["metrics"]["offsets_exact"] == 100.0


def test_places_are_those_of_the_original_text(made: tuple[Recipe, Path], tmp_path: Path) -> None:
    recipe, folder = made
    infer(recipe, folder / "export", tmp_path / "held", Silent(), records=folder / "records")
    originals = {row["id"]: row for row in map(json.loads, (folder / "data.jsonl").open(encoding="utf-8"))}
    found = predictions(tmp_path / "held")
    assert len(found) > 20
    for row in found:
        original = originals[row["id"]]["context"]
        assert original[row["start"] : row["end"]] == row["answer"]
        assert row["answer"] in row["evidence"]
        assert row["evidence"] in original
        assert 0.0 < row["confidence"] <= 1.0
    right = sum(row["answer"] in originals[row["id"]]["answers"]["text"] for row in found)
    metrics = read_manifest(folder / "evaluation", "evaluation").facts["metrics"]
    assert 100 * right / len(found) == pytest.approx(metrics["exact"])


def test_questions_are_answered_in_python(made: tuple[Recipe, Path]) -> None:
    _, folder = made
    some = list(rows(20))
    model = lstmlm.load(folder / "export")
    answers = model.answer([(row["question"], row["context"]) for row in some])
    for row, found in zip(some, answers, strict=True):
        assert row["context"][found.start : found.end] == found.answer
    asked = [{"question": row["question"], "context": row["context"]} for row in some]
    predicted = load_task("answer").predictor(folder / "export", model.recipe).predict(asked, [0] * len(asked))
    fields = [dict(one.fields) for one in predicted if isinstance(one, Prediction)]
    assert [dataclasses.asdict(found) | {"document": None} for found in answers] == [
        one | {"document": None} for one in fields
    ]
    with pytest.raises(UserError, match="input 1: not a pair of a question and a passage"):
        model.answer([("a?", "b"), "who"])  # type: ignore[list-item]


def test_the_served_model_answers_raw_texts_the_same_whatever_else_is_asked(made: tuple[Recipe, Path]) -> None:
    _, folder = made
    call = tf.saved_model.load(str(folder / "export")).signatures["serving_default"]
    some = list(rows(40))[-8:]
    some[2]["context"] *= 5  # read in several windows
    some[3]["context"] = "\u2581 \U0001f600 東京\n\t\u00a0" + some[3]["context"]
    questions, contexts = [row["question"] for row in some], [row["context"] for row in some]
    together = call(question=tf.constant(questions), context=tf.constant(contexts))
    for n, context in enumerate(contexts):
        start, end = int(together["start"][n]), int(together["end"][n])
        assert context[start:end] == together["answer"][n].numpy().decode("utf-8") != ""
        others = [(n + shift) % 8 for shift in range(8)]
        again = call(
            question=tf.constant([questions[other] for other in others]),
            context=tf.constant([contexts[other] if other == n else contexts[other][:30] for other in others]),
        )
        for name in ("answer", "start", "end"):
            assert again[name][0].numpy() == together[name][n].numpy()
        for name in ("confidence", "odds"):  # rounded differently in another row
            assert float(again[name][0]) == pytest.approx(float(together[name][n]), rel=1e-5, abs=1e-5)


def test_a_long_passage_is_read_to_its_end(made: tuple[Recipe, Path], tmp_path: Path) -> None:
    recipe, folder = made
    filler = "It was a fine day . " * 20
    asked = [
        {"id": place, "question": "Where does Anna live?", "context": context}
        for place, context in {
            "first": f"Anna lives in Lima . {filler}",
            "middle": f"{filler}Anna lives in Lima . {filler}",
            "last": f"{filler}Anna lives in Lima .",
        }.items()
    ]
    (tmp_path / "asked.jsonl").write_text("".join(json.dumps(row) + "\n" for row in asked), encoding="utf-8")
    infer(recipe, folder / "export", tmp_path / "out", Silent(), input=tmp_path / "asked.jsonl")
    assert [(row["id"], row["answer"]) for row in predictions(tmp_path / "out")] == [
        ("first", "Lima"),
        ("middle", "Lima"),
        ("last", "Lima"),
    ]


def test_what_cannot_be_asked_becomes_a_dead_letter(made: tuple[Recipe, Path], tmp_path: Path) -> None:
    recipe, folder = made
    good = {"id": "good", "question": "Where does Anna live?", "context": "Anna lives in Rome .", "note": 7}
    bad = [
        ({"id": "a", "question": "Where?"}, "no passage: column 'context' is missing"),
        ({"id": "b", "question": "Where?", "context": " "}, "no passage: column 'context' is empty"),
        ({"id": "c", "question": "", "context": "Anna lives here."}, "no question: column 'question' is empty"),
        ({"id": "d", "question": 3, "context": "Anna lives here."}, "column 'question' (question) is not text"),
    ]
    lines = [json.dumps(row) + "\n" for row in (good, *(row for row, _ in bad))]
    (tmp_path / "asked.jsonl").write_text("".join(lines), encoding="utf-8")
    lenient = recipe.model_copy(update={"inference": recipe.inference.model_copy(update={"max_dead_fraction": 1.0})})
    infer(lenient, folder / "export", tmp_path / "out", Silent(), input=tmp_path / "asked.jsonl")
    (row,) = predictions(tmp_path / "out")
    assert (row["id"], row["note"]) == ("good", 7)
    letters = [json.loads(line) for line in (tmp_path / "out" / "dead_letters.jsonl").open()]
    assert [(letter["id"], letter["reason"]) for letter in letters] == [(row["id"], reason) for row, reason in bad]


def test_a_question_without_a_passage_is_looked_up_in_documents(made: tuple[Recipe, Path], tmp_path: Path) -> None:
    recipe, folder = made
    documents = [
        {"id": "north", "context": "Hugo lives in Oslo . Bert lives in Cairo ."},
        {"id": "south", "context": "Elena lives in Lima . Carla lives in Rome ."},
        {"id": "empty", "context": ""},
    ]
    (folder / "library").mkdir()
    text = "".join(json.dumps(row) + "\n" for row in documents)
    (folder / "library" / "documents.jsonl").write_text(text, encoding="utf-8")
    looked_up = {"documents": "library", "read_documents": 1}
    recipe = recipe.model_copy(update={"inference": recipe.inference.model_copy(update=looked_up)})
    asked = [{"id": 1, "question": "Where does Carla live?"}, {"id": 2, "question": "Where does Hugo live?"}]
    (tmp_path / "asked.jsonl").write_text("".join(json.dumps(row) + "\n" for row in asked), encoding="utf-8")
    infer(recipe, folder / "export", tmp_path / "out", Silent(), input=tmp_path / "asked.jsonl")
    found = predictions(tmp_path / "out")
    assert [(row["document"], row["answer"], row["evidence"]) for row in found] == [
        ("south", "Rome", "Carla lives in Rome ."),
        ("north", "Oslo", "Hugo lives in Oslo ."),
    ]
    before = read_manifest(tmp_path / "out", "predictions").fingerprint
    (folder / "library" / "documents.jsonl").write_text(text.replace("Carla", "Greta"), encoding="utf-8")
    infer(recipe, folder / "export", tmp_path / "again", Silent(), input=tmp_path / "asked.jsonl")
    assert read_manifest(tmp_path / "again", "predictions").fingerprint != before

    nowhere = recipe.model_copy(update={"inference": recipe.inference.model_copy(update={"documents": "nothing"})})
    with pytest.raises(UserError, match=r"nothing"):
        infer(nowhere, folder / "export", tmp_path / "none", Silent(), input=tmp_path / "asked.jsonl")


def test_windows_must_hold_every_answer_whole() -> None:
    for changes, message in [
        (["task_options.stride=40"], "task_options.stride: windows of 48 tokens, 40 apart, would cut answers of 8"),
        (["task_options.max_answer=24"], "Raise examples.max_source or lower max_answer"),
    ]:
        recipe = parse_recipe(RECIPE, "homes", changes)
        with pytest.raises(UserError, match=message):
            load_task("answer").check_recipe(recipe)


def test_records_keep_the_place_of_each_answer(made: tuple[Recipe, Path]) -> None:
    _, folder = made
    task = load_task("answer")
    for record in records_in(folder / "records", "valid"):
        span = record.columns["answer_0"]
        assert record.source[span.start : span.end] == record.targets[0]
        assert "  " not in record.source
        assert "  " in task.request_of(record)["context"]
