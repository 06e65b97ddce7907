"""`lstmlm runs` and `lstmlm lineage`: what was run, and what made an artifact."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lstmlm.checks.needs import need_package
from lstmlm.cli.console import Screen, clock_time
from lstmlm.cli.logs import captured_aside
from lstmlm.cli.options import any_place, read_recipe
from lstmlm.storage import place as as_place

if TYPE_CHECKING:
    from pipelines.history.lineage import Origin
    from pipelines.history.runs import PastRun

COLUMNS = ("run", "began", "took", "state", "stages", "result", "model")


def register(app: typer.Typer) -> None:
    """Adds the commands to the application."""
    app.command(rich_help_panel="Around it")(runs)
    app.command(rich_help_panel="Around it")(lineage)


def runs(
    place: Annotated[
        Path,
        typer.Argument(
            metavar="[PLACE]", help="A recipe, the folder of its runs, or one that holds several.", callback=any_place
        ),
    ] = Path("runs"),
) -> None:
    """List runs: when, how far each came, the first metric of its evaluation, and its model."""
    need_package("ml_metadata", "tfx")
    from pipelines.history.runs import past_runs, run_folders

    folder = read_recipe(place, None, ()).run_folder if place.is_file() else as_place(place)
    with captured_aside() as terminal, Screen(terminal) as screen:
        for home in run_folders(folder):
            found = list(past_runs(home))
            screen.line(f"{home}, runs: {len(found):,}")
            screen.rows(COLUMNS, [_row(one) for one in found])


def lineage(
    artifact: Annotated[
        Path,
        typer.Argument(
            metavar="ARTIFACT",
            help="A folder below the `artifacts` of a run.",
            show_default=False,
            callback=any_place,
        ),
    ],
) -> None:
    """Print what made an artifact, and what that was made of, back to the corpus."""
    need_package("ml_metadata", "tfx")
    from pipelines.history.lineage import lineage as lineage_of

    with captured_aside() as terminal, Screen(terminal) as screen:
        for line in _lines("", lineage_of(as_place(artifact)), 0, set()):
            screen.line(line)


def _row(one: PastRun) -> list[Any]:
    number = next((f"{name} {value:,.4g}" for name, value in one.metrics.items() if isinstance(value, float)), "")
    verdict = {True: "", False: ", not blessed", None: ""}[one.blessed]
    model = one.model.relative_to(one.folder) if one.model else ""
    stages = f"{one.ran} ran, {one.cached} cached"
    return [one.run_id, _when(one.started), clock_time(one.seconds), one.state, stages, number + verdict, model]


def _lines(key: str, origin: Origin, depth: int, seen: set[Path]) -> Iterator[str]:
    """Yields a line for each artifact, indented under the one that was made of it; each one's inputs only once."""
    named = f"{key}: " if key else ""
    yield f"{'  ' * depth}{named}{origin.artifact}"
    indent = "  " * (depth + 1)
    if origin.artifact in seen:
        if origin.inputs:
            yield f"{indent}(see above)"
        return
    seen.add(origin.artifact)
    made = origin.made
    if made is not None:
        version = f", version {made.properties['version']}" if made.properties.get("version") else ""
        took = clock_time(made.ended - made.started)
        yield f"{indent}made by {made.stage}{version}, {_when(made.started)}, in {took}"
        if made.properties.get("files"):
            yield f"{indent}from files with the fingerprint {made.properties['files']}"
    if origin.fingerprint:
        yield f"{indent}{origin.kind} with the fingerprint {origin.fingerprint}"
    for name, one in origin.inputs:
        yield from _lines(name, one, depth + 1, seen)


def _when(seconds: float) -> str:
    return datetime.datetime.fromtimestamp(seconds).astimezone().isoformat(" ", "seconds")
