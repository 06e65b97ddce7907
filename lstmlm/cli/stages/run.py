"""Runs one stage at a terminal, and shows what came out."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from lstmlm.cli.console import Screen
from lstmlm.cli.failures.report import FAILURE, failure_reported
from lstmlm.cli.logs import captured
from lstmlm.cli.results import show_facts
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
) -> None:
    """Runs a stage on the screen, and shows what came out.

    Args:
        name: The stage.
        recipe: The run.
        output: The folder that the stage publishes.
        work: Calls the stage.
        after: Shows what is in the folder, in addition to the facts of its manifest.
    """
    log = companion(output, ".log")
    with (
        failure_reported(companion(output, f".{FAILURE}"), log, lambda: name),
        captured(log) as terminal,
        Screen(terminal) as screen,
    ):
        line = screen.stage(name)
        cached = (output / MANIFEST).is_file()  # a stage keeps a finished folder, or refuses it
        manifest = work(recipe, line)
        screen.summary([line.finish(output, cached=cached)])
        show_facts(screen, manifest)
        if after is not None:
            after(screen, output)
