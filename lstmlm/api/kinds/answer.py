"""Answers to questions about a passage."""

from __future__ import annotations

from typing import Any

from lstmlm.api.kind import Fields, Kind, text
from lstmlm.api.outputs import Answered
from lstmlm.recipe.recipe import Recipe
from lstmlm.task import BadRecord, Task


def _request(given: Any, task: Task, recipe: Recipe) -> dict[str, Any]:
    """Makes a request of a question and its passage; the question's column is the one that is not the passage's."""
    if not isinstance(given, tuple | list) or len(given) != 2:
        raise BadRecord("not a pair of a question and a passage")
    passage = recipe.inference.field
    question = next(name for name in task.request_columns(recipe) if name != passage)
    return task.request({question: text(given[0]), passage: text(given[1])}, recipe)


def _answered(given: Any, fields: Fields) -> Answered:
    return Answered(**fields)


KIND = Kind("pairs of a question and a passage", _request, _answered)
