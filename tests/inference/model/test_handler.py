"""The model as RunInference takes it."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from lstmlm.inference.chunks import Chunk, ChunkContent
from lstmlm.inference.input.requests import Request
from lstmlm.inference.model.handler import Answer, TextHandler
from lstmlm.inference.model.served import Output, ServedModel


class Picky:
    """A fake model: fails with a batch that holds `bad`, and counts its calls."""

    def __init__(self, error: Exception) -> None:
        self.error = error
        self.calls: list[int] = []

    def failures(self) -> tuple[type[Exception], ...]:
        return (ValueError,)

    def generate(self, texts: Sequence[str], seeds: Sequence[int], meter: object = None) -> list[Output]:
        self.calls.append(len(texts))
        if "bad" in texts:
            raise self.error
        return [Output(text, 1) for text in texts]


def chunk(*texts: str) -> ChunkContent:
    requests = [Request(i, f"r{i}", text, i, "f") for i, text in enumerate(texts)]
    return ChunkContent(Chunk(0, 0, len(texts)), requests, [])


def answers_of(handler: TextHandler, content: ChunkContent, model: object) -> list[Answer]:
    (found,) = handler.run_inference(content, model)  # type: ignore[arg-type]
    assert found.content is content
    return found.answers


def test_a_failed_batch_is_halved_until_the_culprit_is_isolated() -> None:
    handler, model = TextHandler(Path("export"), 1), Picky(ValueError("no\nbad words"))
    answers = answers_of(handler, chunk("a", "b", "c", "bad", "d", "e", "f", "g"), model)
    assert model.calls == [8, 4, 2, 2, 1, 1, 4]
    assert [answer.output and answer.output.text for answer in answers] == ["a", "b", "c", None, "d", "e", "f", "g"]
    assert answers[3].error == "the model failed: ValueError: no"


def test_tensorflow_errors_are_reported_without_their_graph(shouter: Path) -> None:
    handler = TextHandler(shouter, 1)
    (answer,) = answers_of(handler, chunk("POISON"), handler.load_model())
    assert answer.error.startswith("the model failed: InvalidArgumentError: assertion failed: [poison")


def test_errors_that_no_record_is_to_blame_for_stop_the_job() -> None:
    handler, model = TextHandler(Path("export"), 1), Picky(MemoryError())
    with pytest.raises(MemoryError):
        answers_of(handler, chunk("bad"), model)


def test_a_chunk_without_requests_needs_no_model() -> None:
    model = Picky(ValueError())
    assert answers_of(TextHandler(Path("export"), 1), chunk(), model) == []
    assert model.calls == []


def test_loading_gives_a_model(shouter: Path) -> None:
    assert isinstance(TextHandler(shouter, 1).load_model(), ServedModel)
