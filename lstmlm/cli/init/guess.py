"""Guesses what a corpus is for: the task, and the columns that it learns from."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from lstmlm.cli.init.columns import IDS
from lstmlm.cli.init.look import Look
from lstmlm.cli.init.plan import Guess, plan, tasks
from lstmlm.corpus.steps.language_codes import LANGUAGES
from lstmlm.errors import UserError


def guess(seen: Look, task: str | None = None, source: str | None = None, target: str | None = None) -> Guess:
    """Guesses what a corpus is for; what is given is taken.

    Raises:
        UserError: A column that is given is not there, or none fits the task.
    """
    for name in (source, target):
        if name is not None and name not in seen.columns:
            there = ", ".join(map(repr, seen.columns))
            raise UserError(f"no column {name!r} (there are {there})", where=str(seen.root), hint="Name one of these")
    if task is not None and task not in tasks():
        raise UserError(f"no task {task!r}", where="--task", hint=f"There are: {', '.join(tasks())}")
    guesses = _guesses(seen, [task] if task else tasks(), source, target)
    found = max(guesses, key=lambda one: one.likelihood, default=None)
    if found is None:
        what = f"no columns for the task {task}" if task else "no column of text"
        kinds = ", ".join(f"{one.name} ({one.kind})" for one in seen.columns.values())
        hint = f"Name them by --source and --target; there are: {kinds}"
        raise UserError(what, where=str(seen.root), hint=hint)
    return dataclasses.replace(found, id=_id(seen))


def _guesses(seen: Look, names: Sequence[str], source: str | None, target: str | None) -> Iterator[Guess]:
    for name in names:
        for one in plan(name).guesses(seen, source, target):
            yield dataclasses.replace(one, task=name)


def _id(seen: Look) -> str | None:
    """Returns the column of the ids: one with a usual name, and another value in every row."""
    found = (one for one in seen.columns.values() if one.name.lower() in IDS and one.filled == 1)
    return next((one.name for one in found if one.distinct == len(one.values)), None)


def languages(seen: Look, names: Sequence[str]) -> Mapping[str, str]:
    """Returns the language of columns, ISO 639-1: as their names say, else as most of their texts are."""
    from lstmlm.corpus.steps.language import detector

    found: dict[str, str] = {}
    for name in names:
        if name.lower() in LANGUAGES:
            found[name] = name.lower()
            continue
        texts = [_first(value) for value in seen.columns[name].values[:200]]
        detected = detector().detect([text for text in texts if text])
        if detected:
            found[name] = max(set(detected), key=detected.count)
    return found


def _first(value: Any) -> str:
    return value if isinstance(value, str) else next((one for one in value if isinstance(one, str)), "")
