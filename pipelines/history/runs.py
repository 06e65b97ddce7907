"""Lists the runs of a recipe: what became of each, and where its results are."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from lstmlm.errors import UserError
from lstmlm.publish.manifest import read_object
from lstmlm.stages import node_of, pipeline_stages
from pipelines.history.store import Execution, History, is_run_folder

_DONE = ("complete", "cached")


@dataclasses.dataclass(frozen=True, slots=True)
class PastRun:
    """What became of a run.

    Attributes:
        folder: The folder of the recipe's runs.
        run_id: Its id.
        state: `finished`; `failed in STAGE`; `running STAGE`, which also is what a killed run leaves; `stopped after
            STAGE`: the stages after it were not asked for, or the run was interrupted between two.
        started: When its first stage began, seconds since 1970.
        seconds: From there to the last that is known of it.
        ran: Stages that did their work.
        cached: Stages that took the results of an earlier run.
        metrics: Metric -> value of its evaluation; empty: it was not evaluated.
        blessed: Whether the model was good enough; None: it was not evaluated.
        model: The folder of the exported model; None: it was not exported.
    """

    folder: Path
    run_id: str
    state: str
    started: float
    seconds: float
    ran: int
    cached: int
    metrics: Mapping[str, Any]
    blessed: bool | None
    model: Path | None


def run_folders(place: Path) -> list[Path]:
    """Returns the run folders at a place: itself, or those in it.

    Raises:
        UserError: There is none.
    """
    if is_run_folder(place):
        return [place]
    found = sorted(path for path in place.glob("*") if is_run_folder(path))
    if not found:
        hint = "Name a recipe, the folder of its runs, or the folder that holds several of these"
        raise UserError("no runs here", where=str(place), hint=hint)
    return found


def past_runs(folder: Path) -> Iterator[PastRun]:
    """Yields the runs in a run folder, the newest first.

    Raises:
        UserError: ML Metadata cannot be read.
    """
    for run_id, executions in History(folder).runs().items():
        newest = {one.stage: one for one in executions}  # a stage that failed may have run again
        verdict, export = _verdict(newest.get("evaluate")), newest.get("export")
        last = max(newest.values(), key=lambda one: one.number)
        yield PastRun(
            folder,
            run_id,
            _state(newest),
            executions[0].started,
            last.ended - executions[0].started,
            sum(one.state == "complete" for one in newest.values()),
            sum(one.state == "cached" for one in newest.values()),
            verdict.get("metrics", {}),
            verdict.get("blessed"),
            export.published if export else None,
        )


def _state(newest: Mapping[str, Execution]) -> str:
    for one in newest.values():
        if one.state not in _DONE:
            return f"{one.state} in {one.stage}" if one.state == "failed" else f"{one.state} {one.stage}"
    if _asked() <= newest.keys():
        return "finished"
    return f"stopped after {list(newest)[-1]}"


def _asked() -> set[str]:
    """Returns the stages that every run of a whole pipeline has."""
    return {stage.name for stage in pipeline_stages() if not node_of(stage).lookup}


def _verdict(evaluate: Execution | None) -> dict[str, Any]:
    if evaluate is not None and evaluate.published is not None:
        with contextlib.suppress(UserError):  # the folder is gone
            return read_object(evaluate.published / "metrics.json", "metrics", "blessed")
    return {}
