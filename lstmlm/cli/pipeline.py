"""The command that runs a whole recipe; it needs the `tfx` extra."""

from __future__ import annotations

import contextlib
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lstmlm.checks.needs import EVERYTHING, need_package
from lstmlm.cli.console import Screen, StageLine, StageRow
from lstmlm.cli.failures.report import FAILURE, failure_reported
from lstmlm.cli.logs import captured
from lstmlm.cli.options import Overrides, RayAddress, RecipePath, read_recipe
from lstmlm.cli.planning.shown import show_plan_and_fact
from lstmlm.cli.results import show_metrics, show_outputs
from lstmlm.errors import BelowThreshold, UserError
from lstmlm.monitoring.datasets import dataset_name, files_read
from lstmlm.monitoring.openlineage import Events
from lstmlm.processes import supervisor
from lstmlm.publish.cache import output_place
from lstmlm.publish.places import companion
from lstmlm.stages import stage_named
from lstmlm.storage import StorePath
from lstmlm.storage.files import copy_file

if TYPE_CHECKING:
    from lstmlm.progress import Progress
    from lstmlm.recipe.recipe import Recipe


class ScreenListener:
    """Shows the stages of a pipeline as they start and finish."""

    def __init__(self, screen: Screen, started: list[str], inputs: StageInputs, events: Events) -> None:
        """Takes the screen, a list that gets the name of each stage that starts, and what OpenLineage is sent."""
        self._screen, self._started = screen, started
        self._inputs, self._events = inputs, events
        self._lines: dict[str, StageLine] = {}
        self.rows: list[StageRow] = []

    def waiting(self, reason: str) -> None:
        """Says once what the run waits for."""
        self._screen.warn(f"waiting: {reason}")

    def started(self, stage: str) -> Progress:
        """Opens the line of a stage; its progress goes there."""
        self._started.append(stage)
        supervisor.note(stage=stage)
        self._events.started(stage, self._inputs.of(stage) if self._events.active else [])
        return self._lines.setdefault(stage, self._screen.stage(stage))

    def finished(self, stage: str, artifact: Path | None, *, cached: bool) -> None:
        """Closes the line of a stage."""
        self._inputs.made[stage] = artifact
        self._events.completed(stage, artifact)
        line = self._lines.pop(stage, None) or self._screen.stage(stage)
        self.rows.append(line.finish(artifact, cached=cached))


class StageInputs:
    """Finds what each stage of a run reads, for OpenLineage.

    Args:
        recipe: The run.
        run_id: The run id; absent: a new run, of which nothing has finished.
    """

    def __init__(self, recipe: Recipe, run_id: str | None) -> None:
        self._recipe, self._run_id = recipe, run_id
        self.made: dict[str, Path | None] = {}

    def of(self, name: str) -> list[Path]:
        """Returns the folders of the stages before a stage, and the files that it reads and no stage made."""
        stage = stage_named(name)
        made = [self._artifact(one.upstream) for one in stage.inputs]
        return [path for path in made if path is not None] + files_read(stage, self._recipe)

    def _artifact(self, stage: str) -> Path | None:
        from pipelines.finished import finished_artifact

        if stage not in self.made and self._run_id is not None:
            self.made[stage] = finished_artifact(self._recipe, self._run_id, stage_named(stage))
        return self.made.get(stage)


def register(app: typer.Typer) -> None:
    """Adds the command to the application."""
    app.command(rich_help_panel="A whole recipe")(run)


def run(
    recipe: RecipePath,
    overrides: Overrides = None,
    stage: Annotated[str | None, typer.Option(metavar="NAME", help="Run only this stage; needs --run-id.")] = None,
    run_id: Annotated[
        str | None, typer.Option(metavar="ID", help="Name of the run; an existing one is resumed.")
    ] = None,
    ray_address: RayAddress = None,
) -> None:
    """Run every stage on this machine; what is already done is taken from the cache."""
    if stage is not None and run_id is None:
        raise UserError("--stage needs --run-id", hint="Give each stage of one run the same id")
    need_package("tfx", "tfx")
    if stage is not None:
        stage_named(stage)
    loaded = read_recipe(recipe, overrides, EVERYTHING)
    home, name = output_place(loaded.run_folder), f"{stage or 'run'}.log"
    log = companion(home, f".{name}") if isinstance(home, StorePath) else home / "logs" / name
    with contextlib.ExitStack() as stack:
        stack.callback(_keep_log, log, home / "logs" / name)
        at = [stage or "start"]
        stack.enter_context(failure_reported(home / FAILURE, log, lambda: at[-1]))
        screen = stack.enter_context(Screen(stack.enter_context(captured(log))))
        events = stack.enter_context(Events(loaded.name, " ".join([*dataset_name(home), run_id or str(uuid.uuid4())])))
        listener = ScreenListener(screen, at, StageInputs(loaded, run_id), events)
        try:
            if not _has_finished(loaded, run_id, stage, listener):
                start = screen.stage("start")
                start.update(0, note=f"{recipe} is valid; loading TFX and Beam")
                from pipelines.local import run_local

                start.finish(None, cached=False)
                run_local(loaded, run_id=run_id, stage=stage, listener=listener, ray_address=ray_address)
        except BelowThreshold:
            _show(screen, listener.rows, loaded)  # a run to its end, with a verdict: the numbers matter all the more
            raise
        _show(screen, listener.rows, loaded)


def _keep_log(log: Path, kept: Path) -> None:
    """Sends the log of a run in a store to its folder."""
    if isinstance(kept, StorePath):
        with contextlib.suppress(UserError, OSError):
            copy_file(log, kept)


def _has_finished(recipe: Recipe, run_id: str | None, stage: str | None, listener: ScreenListener) -> bool:
    """Answers for a single stage that this run has finished: a scheduler asks again when it retries a run.

    Raises:
        BelowThreshold: It is the evaluation, and the model was not good enough.
    """
    from pipelines.finished import check_blessed, finished_artifact

    artifact = finished_artifact(recipe, run_id, stage_named(stage)) if run_id and stage else None
    if artifact is None or stage is None:
        return False
    listener.finished(stage, artifact, cached=True)
    if stage == "evaluate":
        check_blessed(artifact)
    return True


def _show(screen: Screen, rows: list[StageRow], recipe: Recipe) -> None:
    screen.summary(rows)
    show_plan_and_fact(screen, rows, recipe)
    artifacts = {row.stage: row.artifact for row in rows if row.artifact is not None}
    if "evaluate" in artifacts:
        show_metrics(screen, artifacts["evaluate"])
    if "infer" in artifacts:
        show_outputs(screen, artifacts["infer"], recipe.inference.format)
