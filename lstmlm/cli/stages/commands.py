"""Makes the command of a stage from its row of the table: read finished folders, publish one."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lstmlm.cli.console import Screen
from lstmlm.cli.options import BEAM, AnyOutput, Output, Overrides, RecipePath, any_place, local_path, read_recipe
from lstmlm.cli.results import show_verdict
from lstmlm.cli.stages.run import run_stage
from lstmlm.monitoring.datasets import files_read
from lstmlm.progress import Progress
from lstmlm.publish.folder import Manifest
from lstmlm.runners.runner import choose_runner
from lstmlm.stages import Input, Stage
from lstmlm.storage import place

if TYPE_CHECKING:
    from lstmlm.recipe.recipe import Recipe

_AFTER: Mapping[str, Callable[[Screen, Path], None]] = {"evaluation": show_verdict}
"""Kind of a folder -> what its command shows of it, in addition to the facts of its manifest."""


def stage_command(stage: Stage) -> Callable[..., None]:
    """Returns the command of a stage: a recipe, an option for each input, the output, and a runner where it has one."""

    def command(recipe: Path, output: Path, overrides: list[str] | None = None, **given: Any) -> None:
        folders: dict[str, Any] = {
            one.name: place(given[one.name]) for one in stage.inputs if given[one.name] is not None
        }
        output = place(output)
        if stage.beam:
            folders["runner"] = choose_runner(given["runner"], given["workers"], given["beam_option"] or ())
        run = read_recipe(recipe, overrides, stage.checks)

        def work(run: Recipe, progress: Progress) -> Manifest:
            return stage.load()(run, output=output, progress=progress, **folders)

        read = [path for path in folders.values() if isinstance(path, Path)]
        run_stage(stage.name, run, output, work, _AFTER.get(stage.kind), [*read, *files_read(stage, run)])

    command.__signature__ = inspect.Signature(list(_parameters(stage)))  # type: ignore[attr-defined]
    return command


def _parameters(stage: Stage) -> Iterator[inspect.Parameter]:
    """Yields the parameters of a command, as typer reads them."""
    kind = inspect.Parameter.KEYWORD_ONLY
    yield inspect.Parameter("recipe", kind, annotation=RecipePath)
    needed = [one for one in stage.inputs if not one.optional]
    for one in needed:
        yield inspect.Parameter(one.name, kind, annotation=folder_option(one, stores=bool(stage.stores)))
    yield inspect.Parameter("output", kind, annotation=AnyOutput if stage.stores else Output)
    yield inspect.Parameter("overrides", kind, annotation=Overrides, default=None)
    for one in stage.inputs:
        if one.optional:
            yield inspect.Parameter(
                one.name, kind, annotation=folder_option(one, stores=bool(stage.stores)), default=None
            )
    for name, (annotation, default) in BEAM.items() if stage.beam else ():
        yield inspect.Parameter(name, kind, annotation=annotation, default=default)


def folder_option(one: Input, *, stores: bool = False) -> Any:
    """Returns the type of a parameter that takes the finished folder of another stage, of a store where it may be."""
    made_by = f"Output of `lstmlm {one.stage}`{', also of s3:// or gs://' if stores else ''}."
    check = any_place if stores else local_path
    option = typer.Option(f"--{one.name}", metavar="DIR", help=made_by, show_default=False, callback=check)
    return Annotated[Path | None if one.optional else Path, option]
