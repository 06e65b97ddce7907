"""The model as RunInference takes it."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from lstmlm.bases.text import TextPredictor
from lstmlm.inference.chunks import Chunk, ChunkContent
from lstmlm.inference.input.requests import Request
from lstmlm.inference.model.handler import TaskHandler
from lstmlm.inference.model.isolation import Answer
from lstmlm.inference.model.served import ServedModel
from lstmlm.recipe.recipe import Recipe
from lstmlm.task import Prediction

RECIPE = Recipe.model_validate({"name": "test", "task": "generate", "corpus": {"train": "none.txt"}})


class Picky:
    """A fake model: fails with a batch that holds `bad`, and counts its calls."""

    def __init__(self, error: Exception) -> None:
        self.error = error
        self.calls: list[int] = []

    def failures(self) -> tuple[type[Exception], ...]:
        return (ValueError,)

    def predict(
        self, requests: Sequence[Mapping[str, Any]], seeds: Sequence[int], meter: object = None
    ) -> list[Prediction]:
        texts = [request["source"] for request in requests]
        self.calls.append(len(texts))
        if "bad" in texts:
            raise self.error
        return [Prediction({"output": text}) for text in texts]


def chunk(*texts: str) -> ChunkContent:
    requests = [Request(i, f"r{i}", {"source": text}, i, "f") for i, text in enumerate(texts)]
    return ChunkContent(Chunk(0, 0, len(texts)), requests, [])


def answers_of(handler: TaskHandler, content: ChunkContent, model: object) -> list[Answer]:
    (found,) = handler.run_inference(content, model)  # type: ignore[arg-type]
    assert found.content is content
    return found.answers


def test_a_failed_batch_is_halved_until_the_culprit_is_isolated() -> None:
    handler, model = TaskHandler(Path("export"), RECIPE), Picky(ValueError("no\nbad words"))
    answers = answers_of(handler, chunk("a", "b", "c", "bad", "d", "e", "f", "g"), model)
    assert model.calls == [8, 4, 2, 2, 1, 1, 4]
    texts = [answer.output and answer.output.fields["output"] for answer in answers]
    assert texts == ["a", "b", "c", None, "d", "e", "f", "g"]
    assert answers[3].error == "the model failed: ValueError: no"


def test_tensorflow_errors_are_reported_without_their_graph(shouter: Path) -> None:
    handler = TaskHandler(shouter, RECIPE)
    (answer,) = answers_of(handler, chunk("POISON"), handler.load_model())
    assert answer.error.startswith("the model failed: InvalidArgumentError: assertion failed: [poison")


def test_errors_that_no_record_is_to_blame_for_stop_the_job() -> None:
    handler, model = TaskHandler(Path("export"), RECIPE), Picky(MemoryError())
    with pytest.raises(MemoryError):
        answers_of(handler, chunk("bad"), model)


def test_a_chunk_without_requests_needs_no_model() -> None:
    model = Picky(ValueError())
    assert answers_of(TaskHandler(Path("export"), RECIPE), chunk(), model) == []
    assert model.calls == []


def test_loading_gives_a_model(shouter: Path) -> None:
    loaded = TaskHandler(shouter, RECIPE).load_model()
    assert isinstance(loaded, TextPredictor)
    assert isinstance(loaded.model, ServedModel)
