"""`task_options`: the settings of a task's own, checked by a model that the task brings along."""

from __future__ import annotations

import contextlib
import contextvars
from collections.abc import Iterator
from typing import Any

from pydantic import ConfigDict

from lstmlm import plugins
from lstmlm.errors import UserError
from lstmlm.recipe.sections.section import Section, names_code

GROUP = PACKAGE = "lstmlm.tasks"
"""The entry-point group of tasks, and the package of the built-in ones."""

FIELD = "task_options"

_described: contextvars.ContextVar[type[Section] | None] = contextvars.ContextVar("described", default=None)


def options_type(task: str) -> type[Section] | None:
    """Returns the model of a task's options; None for a task without, and for one that cannot be found."""
    try:
        found = plugins.find(GROUP, task, PACKAGE)
    except UserError:
        return None  # loading the task reports what is wrong
    options = getattr(getattr(found, "TASK", found), "Options", None)
    return options if isinstance(options, type) and issubclass(options, Section) else None


class StoredOptions(Section):
    """Options as a data or model file has them, of a task whose code is not imported on account of that."""

    model_config = ConfigDict(extra="allow")


def checked_options(task: str, value: Any, *, from_data: bool) -> Section | None:
    """Returns a recipe's `task_options` as the task's own model.

    Args:
        task: The name of the task.
        value: The options, as a mapping or a model; None: they are not given.
        from_data: The recipe was read from a data or model file, which must not decide what code is imported.

    Raises:
        ValidationError: A field is unknown or wrong.
        ValueError: The task has no options.
    """
    if from_data and names_code(task):
        return None if value is None else StoredOptions.model_validate(value)
    options = options_type(task)
    if options is not None:
        return value if isinstance(value, options) else options.model_validate({} if value is None else value)
    if value is not None and _is_there(task):
        raise ValueError(f"the task {task} has no options. Leave them out")
    return None


def _is_there(task: str) -> bool:
    try:
        plugins.find(GROUP, task, PACKAGE)
    except UserError:
        return False
    return True


@contextlib.contextmanager
def described(task: object) -> Iterator[None]:
    """Within it, messages about `task_options` describe the fields of this task's options."""
    token = _described.set(options_type(task) if isinstance(task, str) else None)
    try:
        yield
    finally:
        _described.reset(token)


def described_type() -> type[Section] | None:
    """Returns the model of the options that are described now."""
    return _described.get()
