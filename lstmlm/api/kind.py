"""What one kind of model takes and gives; a module of `lstmlm.api.kinds` per built-in task."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

from lstmlm.api.inputs import Constrained
from lstmlm.api.outputs import Candidate, Generated, Output, TokenScore
from lstmlm.inference.input.own_constraints import constraint_fields
from lstmlm.plugins import builtin_names, imported
from lstmlm.recipe.recipe import Recipe
from lstmlm.recipe.sections.inference import InferenceSection
from lstmlm.task import BadRecord, Task

Fields = Mapping[str, Any]
PACKAGE = "lstmlm.api.kinds"


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
        if package == "lstmlm.tasks" and name in builtin_names(PACKAGE):
            return name, imported(f"{PACKAGE}.{name}:KIND")
    return None


def text(given: Any) -> str:
    """Returns an input that is a text.

    Raises:
        BadRecord: It is something else.
    """
    if not isinstance(given, str):
        raise BadRecord(f"not text, but {type(given).__name__}")
    return given


def text_request(given: Any, task: Task, recipe: Recipe) -> dict[str, Any]:
    """Makes a request of a text."""
    return task.request({recipe.inference.field: text(given)}, recipe)


_OWN = InferenceSection(prefix="prefix", forced="forced", forbidden="forbidden")


def written_request(given: Any, task: Task, recipe: Recipe) -> dict[str, Any]:
    """Makes a request of a text, or of one with constraints of its own.

    Raises:
        BadRecord: It is neither, or a constraint is not text.
    """
    if not isinstance(given, Constrained):
        return text_request(given, task, recipe)
    return text_request(given.text, task, recipe) | constraint_fields(given.fields(), _OWN)


def candidates(fields: Fields) -> tuple[Candidate, ...]:
    """Returns the alternatives of a prediction, the best first."""
    return tuple(Candidate(one["output"], one.get("score")) for one in fields.get("n_best", ()))


def _generated(given: Any, fields: Fields) -> Generated:
    return Generated(
        source=given.text if isinstance(given, Constrained) else given,
        text=fields["output"],
        cut=fields.get("cut", 0),
        n_best=candidates(fields),
        log_probability=fields.get("log_probability"),
        token_scores=tuple(TokenScore(**one) for one in fields.get("token_scores", ())),
    )


TEXTS = Kind("texts", written_request, _generated)
"""The kind of models that write a text for a text."""
