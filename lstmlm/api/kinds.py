"""The kinds of models: what their inputs are, and how a prediction becomes a typed output."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from lstmlm.api.outputs import (
    Answered,
    Candidate,
    Classified,
    Generated,
    LabelledSpan,
    Output,
    SpokenWord,
    TokenScore,
    Transcribed,
)
from lstmlm.recipe.recipe import Recipe
from lstmlm.task import BadRecord, Task

Fields = Mapping[str, Any]


@dataclasses.dataclass(frozen=True, slots=True)
class Kind:
    """What one kind of model takes and gives.

    Attributes:
        inputs: What it takes, in words.
        request: Makes a request of an input, as `Task.request` does of a row.
        output: Makes the output of an input and the fields of its prediction.
    """

    inputs: str
    request: Callable[[Any, Task, Recipe], dict[str, Any]]
    output: Callable[[Any, Fields], Output]


def kind_of(task: Task) -> tuple[str, Kind] | None:
    """Returns the call that belongs to a task, and its kind: those of the built-in task that it derives from.

    None: it derives from none, and its models have only `Model.predict`.
    """
    for base in type(task).__mro__:
        package, _, name = base.__module__.rpartition(".")
        if package == "lstmlm.tasks" and name in KINDS:
            return name, KINDS[name]
    return None


def _text_request(given: Any, task: Task, recipe: Recipe) -> dict[str, Any]:
    return task.request({recipe.inference.field: _text(given)}, recipe)


def _question_request(given: Any, task: Task, recipe: Recipe) -> dict[str, Any]:
    """Makes a request of a question and its passage; the question's column is the one that is not the passage's."""
    if not isinstance(given, tuple | list) or len(given) != 2:
        raise BadRecord("not a pair of a question and a passage")
    passage = recipe.inference.field
    question = next(name for name in task.request_columns(recipe) if name != passage)
    return task.request({question: _text(given[0]), passage: _text(given[1])}, recipe)


def _audio_request(given: Any, task: Task, recipe: Recipe) -> dict[str, Any]:
    field = recipe.inference.field
    if isinstance(given, bytes):
        return task.request_at({field: given}, Path(), recipe)
    if not isinstance(given, str | os.PathLike):
        raise BadRecord(f"not the path or the content of a file, but {type(given).__name__}")
    path = Path(given).absolute()
    return task.request_at({field: path.name}, path.parent, recipe)


def _text(given: Any) -> str:
    if not isinstance(given, str):
        raise BadRecord(f"not text, but {type(given).__name__}")
    return given


def _generated(given: Any, fields: Fields) -> Generated:
    return Generated(
        source=given,
        text=fields["output"],
        cut=fields.get("cut", 0),
        n_best=_candidates(fields),
        log_probability=fields.get("log_probability"),
        token_scores=tuple(TokenScore(**one) for one in fields.get("token_scores", ())),
    )


def _candidates(fields: Fields) -> tuple[Candidate, ...]:
    found: Sequence[Fields] = fields.get("n_best", ())
    return tuple(Candidate(one["output"], one.get("score")) for one in found)


def _classified(given: Any, fields: Fields) -> Classified:
    return Classified(
        source=given,
        label=fields.get("label"),
        confidence=fields.get("confidence"),
        labels=tuple(fields.get("labels", ())),
        probabilities=fields.get("probabilities", {}),
        spans=tuple(LabelledSpan(**span) for span in fields.get("spans", ())),
        cut=fields.get("cut", 0),
    )


def _answered(given: Any, fields: Fields) -> Answered:
    return Answered(**fields)


def _transcribed(given: Any, fields: Fields) -> Transcribed:
    words = tuple(SpokenWord(**word) for word in fields["words"])
    return Transcribed(fields["output"], words, fields["seconds"], _candidates(fields))


_TEXTS = Kind("texts", _text_request, _generated)
KINDS: Mapping[str, Kind] = {
    "generate": _TEXTS,
    "translate": _TEXTS,
    "summarize": _TEXTS,
    "classify": Kind("texts", _text_request, _classified),
    "answer": Kind("pairs of a question and a passage", _question_request, _answered),
    "transcribe": Kind("audio files, each its path or its bytes", _audio_request, _transcribed),
}
"""Built-in task -> what its models take and give. The call of a model has the name of its task."""
