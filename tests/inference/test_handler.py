"""The model as RunInference takes it."""

import pickle
from collections.abc import Sequence
from pathlib import Path

import pytest

from lstmlm.inference.handler import TextHandler, watched
from lstmlm.inference.inputs import Request
from lstmlm.inference.served import Output, ServedModel


class Picky:
    """Stands for a model: fails with a batch that holds `bad`, and counts its calls."""

    def __init__(self, error: Exception) -> None:
        self.error = error
        self.calls: list[int] = []

    def failures(self) -> tuple[type[Exception], ...]:
        return (ValueError,)

    def generate(self, texts: Sequence[str], seeds: Sequence[int]) -> list[Output]:
        self.calls.append(len(texts))
        if "bad" in texts:
            raise self.error
        return [Output(text, 1) for text in texts]


def requests(*texts: str) -> list[Request]:
    return [Request(i, f"r{i}", text, i, "f") for i, text in enumerate(texts)]


def test_a_failed_batch_is_halved_until_the_culprit_is_alone() -> None:
    handler, model = TextHandler(Path("export"), 4, 1), Picky(ValueError("no\nbad words"))
    answers = list(handler.run_inference(requests("a", "b", "c", "bad", "d", "e", "f", "g"), model))
    assert model.calls == [8, 4, 2, 2, 1, 1, 4]
    assert [answer.output and answer.output.text for answer in answers] == ["a", "b", "c", None, "d", "e", "f", "g"]
    assert answers[3].error == "the model failed: ValueError: no"


def test_tensorflow_errors_are_told_without_their_graph(shouter: Path) -> None:
    handler = TextHandler(shouter, 4, 1)
    (answer,) = handler.run_inference(requests("POISON"), handler.load_model())
    assert answer.error.startswith("the model failed: InvalidArgumentError: assertion failed: [poison")


def test_errors_that_no_record_is_to_blame_for_stop_the_job() -> None:
    handler, model = TextHandler(Path("export"), 4, 1), Picky(MemoryError())
    with pytest.raises(MemoryError):
        handler.run_inference(requests("bad"), model)  # type: ignore[arg-type]


def test_beam_is_told_the_batch_and_not_to_share() -> None:
    handler = TextHandler(Path("export"), 64, 1)
    assert handler.batch_elements_kwargs() == {"min_batch_size": 64, "max_batch_size": 64}
    assert not handler.share_model_across_processes()


def test_a_copy_of_the_handler_still_tells_its_watcher_until_the_end() -> None:
    told: list[int] = []
    model = Picky(ValueError())
    with watched(told.append) as name:
        copy = pickle.loads(pickle.dumps(TextHandler(Path("export"), 4, 1, name)))
        copy.run_inference(requests("a", "b"), model)
    copy.run_inference(requests("a"), model)
    assert told == [2]


def test_loading_gives_a_model(shouter: Path) -> None:
    assert isinstance(TextHandler(shouter, 4, 1).load_model(), ServedModel)
