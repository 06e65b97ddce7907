"""Language models that read backward: their examples, and what they write before a text."""

from __future__ import annotations

import collections
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_text  # noqa: F401 - registers the operations of the tokenizer

from lstmlm.errors import UserError
from lstmlm.export import export
from lstmlm.inference.model.engine_model import EngineModel
from lstmlm.inference.model.loading import load_text_model
from lstmlm.inference.model.served import ServedModel
from lstmlm.models.language_model import LanguageModel
from lstmlm.models.weights import load_arrays
from lstmlm.progress import Silent
from lstmlm.recipe.file import parse_recipe
from lstmlm.recipe.recipe import Recipe
from lstmlm.records.record import Record
from lstmlm.task import load_task
from lstmlm.tokenizer import Tokenizer
from tests.tiny import RECIPE, untrained

BACKWARD = "task_options.direction=backward"


def recipe_of(stages: Path, *changes: str) -> Recipe:
    return parse_recipe(RECIPE, "tiny", [f"corpus.root={stages}", "decoding.max_tokens=8", *changes])


@pytest.fixture(scope="module")
def made(stages: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An exported model that reads backward, next to its untrained weights."""
    folder = tmp_path_factory.mktemp("backward")
    recipe = recipe_of(stages, BACKWARD)
    untrained(recipe, stages / "tokenizer", folder / "model")
    export(recipe, folder / "model", stages / "tokenizer", folder / "export", Silent())
    return folder


def test_examples_hold_every_text_from_its_end(stages: Path) -> None:
    words, task = Tokenizer(stages / "tokenizer/tokenizer.model"), load_task("generate")
    records = [Record("1", "the first text"), Record("2", "and another")]

    def stream(*changes: str) -> list[int]:
        rows = task.encode([records], words, recipe_of(stages, "examples.window=4", *changes), collections.Counter())
        windows = [row for found in rows for row in found["tokens"].to_lists()]
        return [*windows[0], *(token for window in windows[1:] for token in window[1:])]

    first, second = (words.encode(record.source) for record in records)
    end = words.END
    whole = [end, *first[::-1], end, *second[::-1], end]
    found = stream(BACKWARD)
    assert found == whole[: len(found)]
    assert len(found) > len(first) + 2
    assert stream() == [end, *first, end, *second, end][: len(found)]


def test_an_output_comes_before_its_prompt(stages: Path, made: Path) -> None:
    words = Tokenizer(stages / "tokenizer/tokenizer.model")
    model = load_text_model(made / "export")
    assert isinstance(model, EngineModel)
    recipe = recipe_of(stages, BACKWARD)
    network = LanguageModel(recipe.model, words.size, 1, tf.float32)
    load_arrays(made / "export/weights.npz", network.named_variables())
    for text, space in [("a text of its own", " "), (" led by a space", ""), ("", "")]:
        read = [words.END, *words.encode(text)[::-1]]
        for _ in range(8):
            states = network.zero_state(1)
            hidden, _ = network.hidden(tf.constant([read]), states, None)
            read.append(int(tf.argmax(network.softmax.logits(hidden)[-1])))
        written = read[-8:]
        written = written[: written.index(words.END)] if words.END in written else written
        expected = words.decode(written[::-1])
        (output,) = model.generate([text], [1])
        assert output.text == (expected + space if expected else "")


def test_the_saved_model_writes_the_same(made: Path) -> None:
    texts = ["one text", "", " with a space", "a longer text than the others, with a comma"]
    engine, served = load_text_model(made / "export"), ServedModel(made / "export")
    seeds = [1] * len(texts)
    assert [o.text for o in served.generate(texts, seeds)] == [o.text for o in engine.generate(texts, seeds)]


def test_the_perplexity_is_that_of_the_reversed_stream(stages: Path, made: Path) -> None:
    recipe, words = recipe_of(stages, BACKWARD), Tokenizer(stages / "tokenizer/tokenizer.model")
    records = [Record("1", "a text of its own"), Record("2", "and one more")]
    metrics = load_task("generate").evaluate(made / "export", records, stages / "records/Split-train", recipe)
    network = LanguageModel(recipe.model, words.size, 1, tf.float32)
    load_arrays(made / "export/weights.npz", network.named_variables())
    stream = [words.END]
    for record in records:
        stream += [*words.encode(record.source)[::-1], words.END]
    nats, _, _ = network.score_tokens(tf.constant([stream]), network.zero_state(1))
    # The rows that a stream is cut into begin with a state of zero, so the two are close, not equal.
    np.testing.assert_allclose(metrics["perplexity"], np.exp(np.mean(nats)), rtol=0.05)


def test_directions_are_not_mixed_up(stages: Path, made: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"task_options\.direction=backward, and the recipe has .*=forward"):
        export(recipe_of(stages), made / "model", stages / "tokenizer", tmp_path / "e", Silent())
    untrained(recipe_of(stages), stages / "tokenizer", tmp_path / "forward")
    with pytest.raises(UserError, match=r"task_options\.direction=forward, and the recipe has .*=backward"):
        export(recipe_of(stages, BACKWARD), tmp_path / "forward", stages / "tokenizer", tmp_path / "e", Silent())


def test_phrases_cannot_be_asked_of_a_model_that_reads_backward(stages: Path) -> None:
    recipe = recipe_of(stages, BACKWARD, "decoding.forbidden=[word]")
    with pytest.raises(UserError, match=r"^decoding\.forbidden: a model that reads backward"):
        load_task("generate").check_recipe(recipe)


def test_a_recipe_that_leaves_the_direction_open_is_written_without_it(stages: Path) -> None:
    """So the results of recipes from before there was a direction stay valid."""
    assert "task_options" not in recipe_of(stages).model_dump(mode="json")
    assert recipe_of(stages, BACKWARD).model_dump(mode="json")["task_options"] == {"direction": "backward"}
