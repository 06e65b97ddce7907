"""The commands that have a model write a corpus: for a student, and from texts of the target side."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from lstmlm.checks.needs import CORPUS
from lstmlm.cli.console import Screen, StageRow
from lstmlm.cli.logs import captured
from lstmlm.cli.options import (
    BeamOptions,
    BeamWorkers,
    Overrides,
    RecipePath,
    RunnerName,
    local_path,
    read_recipe,
)
from lstmlm.errors import UserError
from lstmlm.progress import Progress
from lstmlm.publish.folder import MANIFEST, Manifest
from lstmlm.publish.places import companion
from lstmlm.runners.runner import choose_runner

Home = Annotated[
    Path,
    typer.Option(
        "-o",
        "--output",
        metavar="DIR",
        help="Folder for the steps and the new recipe; the same command resumes there.",
        show_default=False,
        callback=local_path,
    ),
]


class ScreenLines:
    """Shows each step on a line of the screen."""

    def __init__(self, screen: Screen) -> None:
        self._screen = screen
        self.rows: list[StageRow] = []

    def step(self, name: str, folder: Path, work: Callable[[Progress], Manifest]) -> Manifest:
        """See `lstmlm.synthetic.steps.Lines`."""
        line = self._screen.stage(name)
        cached = (folder / MANIFEST).is_file()
        manifest = work(line)
        self.rows.append(line.finish(folder, cached=cached))
        return manifest


def register(app: typer.Typer) -> None:
    """Adds the commands to the application."""
    app.command(rich_help_panel="A whole recipe")(distill)
    app.command("back-translate", rich_help_panel="A whole recipe")(back_translate)


def distill(
    recipe: RecipePath,
    teacher: Annotated[
        Path,
        typer.Option(
            "--teacher", metavar="DIR", help="Export of the recipe's model.", show_default=False, callback=local_path
        ),
    ],
    output: Home,
    size: Annotated[
        float, typer.Option(min=0.01, max=1.0, help="Weights of the student at most, as a share of the teacher's.")
    ] = 0.5,
    overrides: Overrides = None,
    runner: RunnerName = "direct",
    workers: BeamWorkers = None,
    beam_option: BeamOptions = None,
) -> None:
    """Have a model translate its train split, and derive a smaller student's recipe (Kim and Rush 2016)."""
    place, run = choose_runner(runner, workers, beam_option or ()), read_recipe(recipe, overrides, (CORPUS,))
    with captured(companion(output, ".log")) as terminal, Screen(terminal) as screen:
        from lstmlm.synthetic.distill import distill as work

        lines = ScreenLines(screen)
        made = work(run, teacher, output, lines, size=size, runner=place)
        screen.summary(lines.rows)
        screen.line(f"Train the student: lstmlm run {made.recipe}")


def back_translate(
    recipe: RecipePath,
    output: Home,
    reverse: Annotated[
        Path | None,
        typer.Option(
            "--reverse",
            metavar="DIR",
            help="Export of a model of the other direction; absent: its recipe is written, to train it first.",
            callback=local_path,
        ),
    ] = None,
    text: Annotated[
        Path | None,
        typer.Option("--text", metavar="PATH", help="Texts of the target side: a file, a folder or a glob."),
    ] = None,
    field: Annotated[str, typer.Option(metavar="NAME", help="Column or key of the text in these files.")] = "text",
    overrides: Overrides = None,
    runner: RunnerName = "direct",
    workers: BeamWorkers = None,
    beam_option: BeamOptions = None,
) -> None:
    """Have a reverse model write sources for texts of the target side (Sennrich et al. 2016)."""
    place, run = choose_runner(runner, workers, beam_option or ()), read_recipe(recipe, overrides, (CORPUS,))
    with captured(companion(output, ".log")) as terminal, Screen(terminal) as screen:
        from lstmlm.synthetic.back_translate import back_translate as work
        from lstmlm.synthetic.back_translate import write_reverse

        if reverse is None:
            path = write_reverse(run, output)
            screen.line(f"Train the reverse model: lstmlm run {path}. Then name its export in --reverse")
            return
        if text is None:
            raise UserError("--reverse needs --text", hint="Name texts of the target side")
        lines = ScreenLines(screen)
        made = work(run, reverse, text, output, lines, field=field, runner=place)
        screen.summary(lines.rows)
        screen.line(f"Train on both: lstmlm run {made}")
