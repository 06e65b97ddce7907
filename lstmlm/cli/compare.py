"""`lstmlm compare`: measures two models on the same records, and says how certain the differences are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lstmlm.cli.console import Screen
from lstmlm.cli.logs import captured_aside
from lstmlm.cli.options import Overrides, TestSets, local_path, recipe_of_export
from lstmlm.errors import UserError

if TYPE_CHECKING:
    from lstmlm.evaluation.sets.compare import Difference
    from lstmlm.recipe.recipe import Recipe
    from lstmlm.records.record import Record

COLUMNS = ("set", "metric", "A", "B", "B - A", "95% from", "to", "p", "better")


def register(app: typer.Typer) -> None:
    """Adds the command to the application."""
    app.command(rich_help_panel="Around it")(compare)


def compare(
    a: Annotated[Path, typer.Argument(metavar="A", help="An export folder.", show_default=False, callback=local_path)],
    b: Annotated[Path, typer.Argument(metavar="B", help="Another one.", show_default=False, callback=local_path)],
    input: TestSets = None,
    records: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Use the valid split of this `lstmlm ingest` output.", callback=local_path),
    ] = None,
    recipe: Annotated[
        Path | None,
        typer.Option(
            metavar="RECIPE", help="How both are decoded; absent: each as its export says.", show_default=False
        ),
    ] = None,
    overrides: Overrides = None,
    samples: Annotated[int, typer.Option(min=100, metavar="N", help="Samples of the records that are drawn.")] = 1000,
) -> None:
    """Compare two models on the same records, by the paired bootstrap."""
    if (records is None) == (not input):
        hint = "Name test sets by --input, or the output of `lstmlm ingest` by --records"
        raise UserError("one of --input and --records says what to compare on", hint=hint)
    runs = (recipe_of_export(recipe, a, overrides), a), (_other(recipe, b, overrides), b)
    with captured_aside() as terminal, Screen(terminal) as screen:
        from lstmlm.evaluation.sets.compare import compare as compared

        for name, held_out in _sets(input or [], records, runs[0][0]):
            line = screen.stage("compare")
            line.update(0, len(held_out), unit="records", note=name)
            differences = compared(*runs, held_out, samples)
            line.finish(None, cached=False)
            screen.line(f"{name}: {len(held_out):,} records, {samples:,} samples")
            screen.rows(COLUMNS, [[name, *_row(one)] for one in differences])


def _other(recipe: Path | None, export: Path, overrides: Sequence[str] | None) -> Recipe:
    """Returns the recipe of the second model, whose network may be another one."""
    from lstmlm.inference.model.same_network import trained_network

    found = recipe_of_export(recipe, export, overrides)
    return found if recipe is None else found.model_copy(update={"model": trained_network(export)[1]})


def _sets(inputs: Sequence[Path], records: Path | None, recipe: Recipe) -> Iterator[tuple[str, list[Record]]]:
    """Yields the name and the records of each set."""
    from lstmlm.evaluation.sets.reading import read_set
    from lstmlm.publish.folder import read_manifest
    from lstmlm.records.shards import records_in

    for path in inputs:
        yield str(path), read_set(path, recipe).records
    if records is not None:
        read_manifest(records, "records")
        held_out = list(records_in(records, "valid"))
        if not held_out:
            raise UserError("the valid split is empty", where=str(records), hint="Name test sets by --input")
        yield str(records), held_out


def _row(one: Difference) -> list[Any]:
    names = {"a": "A", "b": "B", "": "not certain"}
    return [one.metric, one.a, one.b, one.difference, one.low, one.high, one.p, names[one.verdict]]
