"""What `lstmlm init` knows of a task; a module of `lstmlm.cli.init.plans` per built-in task."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from lstmlm.cli.init.look import Look
from lstmlm.plugins import builtin_names, imported

Sections = Mapping[str, Mapping[str, Any]]
PACKAGE = "lstmlm.cli.init.plans"


@dataclasses.dataclass(frozen=True, slots=True)
class Guess:
    """What is learnt from what.

    Attributes:
        source: Column of the input.
        target: Column of the output, the label or the answers; None: there is none.
        likelihood: Guesses are tried from the highest down: 3 where the columns leave little doubt, 0 where a user has
            to name the column.
        why: The reason, for the user.
        task: The task.
        id: Column of the ids; None: there is none.
        question: Column of the question.
        label_kind: `task_options.kind` of labels.
    """

    source: str
    target: str | None
    likelihood: float
    why: str
    task: str = ""
    id: str | None = None
    question: str | None = None
    label_kind: str = "one"


@dataclasses.dataclass(frozen=True, slots=True)
class Size:
    """Sizes of a model, and what its training costs.

    Attributes:
        sections: Section -> field -> value of the recipe.
        step_flops: Multiplications and additions of a step.
        epoch_steps: Steps in which all of train is read once.
        most_epochs: Times that train is read at most.
        shared_out: Whether a machine of few cores is quicker with a worker per core than with one of several threads.
    """

    sections: Sections
    step_flops: float
    epoch_steps: float
    most_epochs: float
    shared_out: bool = False


def _no_fields(seen: Look, found: Guess, languages: Mapping[str, str]) -> Sections:
    return {}


@dataclasses.dataclass(frozen=True, slots=True)
class Plan:
    """How a recipe of one task is written.

    Attributes:
        guesses: Yields which columns could be learnt from; the source and the target that a user named are taken.
        size: Chooses sizes.
        fields: Returns other fields of the recipe, by section; it also gets the language of each column of text.
    """

    guesses: Callable[[Look, str | None, str | None], Iterator[Guess]]
    size: Callable[[Look, Guess], Size]
    fields: Callable[[Look, Guess, Mapping[str, str]], Sections] = _no_fields


def tasks() -> list[str]:
    """Returns the tasks that there is a plan for."""
    return builtin_names(PACKAGE)


def plan(task: str) -> Plan:
    """Returns the plan of a task."""
    found: Plan = imported(f"{PACKAGE}.{task}:PLAN")
    return found
