"""Runs one stage at a terminal, and shows what came out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from lstmlm.cli.console import Screen
from lstmlm.cli.failures.report import FAILURE, failure_reported
from lstmlm.cli.logs import captured
from lstmlm.cli.results import show_facts
from lstmlm.monitoring.openlineage import Events
from lstmlm.progress import Progress
from lstmlm.publish.folder import MANIFEST, Manifest
from lstmlm.publish.places import companion

if TYPE_CHECKING:
    from lstmlm.recipe.recipe import Recipe


def run_stage(
    name: str,
    recipe: Recipe,
    output: Path,
    work: Callable[[Recipe, Progress], Manifest],
    after: Callable[[Screen, Path], None] | None = None,
    inputs: Sequence[Path | None] = (),
) -> None:
    """Runs a stage on the screen, and shows what came out.

    Args:
        name: The stage.
        recipe: The run.
        output: The folder that the stage publishes.
        work: Calls the stage.
        after: Shows what is in the folder, in addition to the facts of its manifest.
        inputs: What the stage reads, for OpenLineage.
    """
    log = companion(output, ".log")
    with (
        failure_reported(companion(output, f".{FAILURE}"), log, lambda: name),
        captured(log) as terminal,
        Screen(terminal) as screen,
        Events(recipe.name, str(output)) as events,
    ):
        line = screen.stage(name)
        events.started(name, [path for path in inputs if path is not None])
        cached = (output / MANIFEST).is_file()  # a stage keeps a finished folder, or refuses it
        manifest = work(recipe, line)
        events.completed(name, output)
        screen.summary([line.finish(output, cached=cached)])
        show_facts(screen, manifest)
        if after is not None:
            after(screen, output)
