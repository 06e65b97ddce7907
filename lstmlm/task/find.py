"""Finds a task by its name; nothing else knows which tasks there are."""

from __future__ import annotations

from lstmlm import plugins
from lstmlm.errors import UserError
from lstmlm.recipe.task_options import GROUP, PACKAGE
from lstmlm.task.task import Task


def task_names() -> list[str]:
    """Returns the names of the tasks of this package and of installed ones, without importing them."""
    return plugins.names(GROUP, PACKAGE)


def load_task(name: str) -> Task:
    """Returns a task by the name that a recipe gives it: see `lstmlm.plugins.find`.

    Raises:
        UserError: There is no such task, or what is named is none.
    """
    found = plugins.find(GROUP, name, PACKAGE)
    task = getattr(found, "TASK", found)
    if isinstance(task, type) and issubclass(task, Task):
        try:
            task = task()
        except TypeError as error:  # it lacks a method
            raise UserError(
                f"{name!r} is not a whole task: {error}", where="task", hint="Define what it lacks"
            ) from error
    if not isinstance(task, Task):
        hint = "Name a subclass of `lstmlm.task.Task`"
        raise UserError(f"{name!r} is not a task but {type(task).__name__}", where="task", hint=hint)
    return task


def stored_task(name: str) -> Task:
    """Returns a task by the name that a model folder holds, which must not decide what code is imported.

    Raises:
        UserError: It is not the name of a built-in task or of an installed package's entry point.
    """
    if ":" in name:
        hint = "Name the recipe of this model: only a recipe may name code"
        raise UserError(f"a model folder names the code {name!r} as its task", where="task", hint=hint)
    return load_task(name)
