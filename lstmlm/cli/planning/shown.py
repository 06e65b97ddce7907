"""Tables of a plan, and of what a run took compared with its plan."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from lstmlm.cli.console import Screen, StageRow, clock_time

if TYPE_CHECKING:
    from lstmlm.planning.estimate import StagePlan
    from lstmlm.recipe.recipe import Recipe

PLANNED = ("stage", "records", "files", "MB", "requests", "GB per worker", "time")
COMPARED = ("stage", "planned s", "seconds", "planned files", "files", "planned MB", "MB")


def show_plan(screen: Screen, stages: Sequence[StagePlan]) -> None:
    """Shows a row for each stage."""
    rows = [
        (
            one.stage,
            one.records,
            one.files,
            round(one.bytes / 1e6, 2),
            one.requests,
            round(one.memory / 1e9, 2),
            clock_time(one.seconds),
        )
        for one in stages
    ]
    screen.rows(PLANNED, rows)


def show_plan_and_fact(screen: Screen, rows: Sequence[StageRow], recipe: Recipe) -> None:
    """Shows what the stages that ran took, next to what was planned, where there is a plan of the recipe."""
    from lstmlm.planning.fact import Took, compare

    took = [Took(row.stage, row.seconds, row.artifact) for row in rows if row.artifact is not None and not row.cached]
    found = compare(recipe, took)
    if not found:
        return
    shown = [
        (
            one.stage,
            round(one.planned_seconds, 1),
            round(one.seconds, 1),
            one.planned_files,
            one.files,
            round(one.planned_bytes / 1e6, 2),
            round(one.bytes / 1e6, 2),
        )
        for one in found
    ]
    screen.rows(COMPARED, shown)
