"""`lstmlm plan`: what a run will cost, before it starts."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lstmlm.checks.needs import EVERYTHING
from lstmlm.cli.console import Screen
from lstmlm.cli.logs import captured
from lstmlm.cli.options import Overrides, RayAddress, RecipePath, read_recipe
from lstmlm.cli.planning.shown import show_plan
from lstmlm.errors import UserError
from lstmlm.storage import StorePath

if TYPE_CHECKING:
    from lstmlm.planning.estimate import Load
    from lstmlm.planning.sample import Sample
    from lstmlm.recipe.recipe import Recipe

SAMPLE_MB = 4.0


def register(app: typer.Typer) -> None:
    """Adds the command to the application."""
    app.command(rich_help_panel="A whole recipe")(plan)


def plan(
    recipe: RecipePath,
    records: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="Rows of the corpus; absent: those of the recipe's.")
    ] = None,
    size: Annotated[
        int | None,
        typer.Option("--bytes", min=1, metavar="B", help="Bytes of its files; absent: as many as there are."),
    ] = None,
    workers: Annotated[
        int | None, typer.Option(min=1, metavar="W", help="Workers of each stage; absent: those of the recipe.")
    ] = None,
    inputs: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="Inputs of the batch job; absent: the valid split.")
    ] = None,
    sample: Annotated[float, typer.Option(min=0.01, metavar="MB", help="Size of the sample.")] = SAMPLE_MB,
    again: Annotated[bool, typer.Option("--again", help="Measure again, though rates are known.")] = False,
    overrides: Overrides = None,
    ray_address: RayAddress = None,
) -> None:
    """Say what a run will cost: records, files, bytes, requests, memory and time of every stage.

    Rates are measured once, by small runs of the stages on a sample of the corpus; later runs correct them.
    """
    run = read_recipe(recipe, overrides, EVERYTHING)
    folder = run.run_folder
    if isinstance(folder, StorePath):
        hint = "Add --set output=FOLDER; the numbers are the same"
        raise UserError("a plan is kept in a folder of this machine", where="output", hint=hint)
    with captured(folder / "logs" / "plan.log") as terminal, Screen(terminal) as screen:
        line = screen.stage("plan")
        from lstmlm.planning.estimate import plan as planned
        from lstmlm.planning.estimate import total
        from lstmlm.planning.fact import write_plan
        from lstmlm.planning.probe import measure, rates_key
        from lstmlm.planning.rates import read_rates, write_rates
        from lstmlm.planning.sample import draw

        with tempfile.TemporaryDirectory(prefix="lstmlm-plan-") as scratch:
            drawn = draw(run, Path(scratch), round(sample * 1e6))
            load = _load(run, drawn, records, size, workers, inputs)
            rates = None if again else read_rates(folder, rates_key(run))
            if rates is None:
                rates = measure(run, drawn, line, ray_address)
                write_rates(rates, folder)
        stages = planned(run, rates, load)
        if workers is None and inputs is None and (not drawn.plain or records is size is None):
            write_plan(stages, run, rates)  # a plan of other numbers says nothing of the recipe's own run
        line.finish(folder, cached=False)
        show_plan(screen, [*stages, total(stages)])
        source = "the last run" if rates.source == "run" else f"a sample of {drawn.bytes / 1e6:.1f} MB"
        screen.line(f"{load.records:,} rows, {load.bytes / 1e6:,.1f} MB, {load.workers} workers; rates of {source}")


def _load(
    run: Recipe, drawn: Sample, records: int | None, size: int | None, workers: int | None, inputs: int | None
) -> Load:
    """Returns what the plan is for: what is not given is that of the recipe's corpus.

    Raises:
        UserError: The files do not say how many rows they have.
    """
    from lstmlm.planning.estimate import Load

    row = drawn.bytes / drawn.rows
    if records is None and size is None and not drawn.plain:
        hint = "Give --records and --bytes, of the files as they are when read"
        raise UserError("how many rows compressed files have is not known before they are read", hint=hint)
    if size is None:
        size = round(records * row) if records is not None else drawn.corpus_bytes
    if records is None:
        records = max(1, round(size / row))
    return Load(records, size, workers or run.training.most_workers, drawn.corpus_files, inputs)
