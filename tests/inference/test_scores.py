"""Scores of given texts, from JSONL to JSONL."""

import json

import numpy as np
import pytest
import tensorflow as tf

from lstmlm.errors import UserError
from lstmlm.inference.scores import score_texts
from lstmlm.models.weights import load_arrays
from lstmlm.progress import Silent
from lstmlm.task import Task, load_task
from lstmlm.tokenizer import Tokenizer

pytestmark = pytest.mark.slow

ROWS = [{"text": "The statement", "target": "THE STATEMENT"}, {"text": "a b c", "target": "é"}, {"text": 3}]


@pytest.fixture
def written(tmp_path):
    path = tmp_path / "in.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in ROWS), encoding="utf-8")
    return path


def test_scores_are_those_of_the_network(exported, written, tmp_path):
    recipe = exported.recipe.model_copy(
        update={"inference": exported.recipe.inference.model_copy(update={"max_dead_fraction": 0.5})}
    )
    manifest = score_texts(recipe, exported.export, written, tmp_path / "out", Silent())
    lines = [json.loads(line) for line in (tmp_path / "out" / "scores.jsonl").read_text().splitlines()]
    assert [line["id"] for line in lines] == ["in.jsonl:1", "in.jsonl:2"]
    assert manifest.facts["dead_letters"] == 1
    tokenizer = Tokenizer(exported.export / "tokenizer.model")
    network = load_task(recipe.task).build(recipe, tokenizer.size)
    load_arrays(exported.export / "weights.npz", network.named_variables())
    total = 0.0
    for row, line in zip(ROWS, lines, strict=False):
        if network.closes_source:
            texts = {"source": row["text"], "target": row["target"]}
            batch = {name: tf.constant([[*tokenizer.encode(text), 3]]) for name, text in texts.items()}
        else:
            batch = {"tokens": tf.constant([[3, *tokenizer.encode(row["text"]), 3]])}
        nats, tokens = network.loss(batch, noise=None, smoothing=0.0)
        np.testing.assert_allclose(-line["log_probability"], nats, rtol=1e-4)
        assert line["tokens"] == int(tokens)
        np.testing.assert_allclose(line["perplexity"], np.exp(nats / tokens), rtol=1e-4)
        total += float(nats)
    np.testing.assert_allclose(manifest.facts["perplexity"], np.exp(total / manifest.facts["tokens"]), rtol=1e-4)


def test_too_many_dead_letters_leave_nothing(exported, written, tmp_path):
    with pytest.raises(UserError, match="1 of 3 records failed, the first at in"):
        score_texts(exported.recipe, exported.export, written, tmp_path / "out", Silent())
    assert not (tmp_path / "out").exists()


def test_an_export_without_an_engine_is_refused(shouter, written, tmp_path, recipe):
    with pytest.raises(UserError, match="cannot score"):
        score_texts(recipe(), shouter, written, tmp_path / "out", Silent())


def test_a_task_whose_models_score_no_texts_says_so(exported, written, tmp_path, monkeypatch):
    refuses = type(load_task(exported.recipe.task))
    monkeypatch.setattr(refuses, "scored_column", Task.scored_column)
    with pytest.raises(UserError, match=rf"task: models of task {exported.recipe.task} give no probabilities of texts"):
        score_texts(exported.recipe, exported.export, written, tmp_path / "out", Silent())
