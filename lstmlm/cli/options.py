"""Arguments and options that several commands share, and how a command reads its recipe."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from lstmlm.recipe import Recipe

RecipePath = Annotated[Path, typer.Argument(metavar="RECIPE", help="The recipe, a YAML file.", show_default=False)]
Output = Annotated[
    Path, typer.Option("-o", "--output", metavar="DIR", help="Folder to publish; absent or empty.", show_default=False)
]
Overrides = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="FIELD=VALUE", help="Override a field, such as training.steps=100; repeatable."),
]
Records = Annotated[Path, typer.Option(metavar="DIR", help="Output of `lstmlm ingest`.", show_default=False)]
TokenizerFolder = Annotated[
    Path, typer.Option("--tokenizer", metavar="DIR", help="Output of `lstmlm tokenizer`.", show_default=False)
]
ExamplesFolder = Annotated[
    Path, typer.Option("--examples", metavar="DIR", help="Output of `lstmlm examples`.", show_default=False)
]
ModelFolder = Annotated[
    Path, typer.Option("--model", metavar="DIR", help="Output of `lstmlm train`.", show_default=False)
]
ExportFolder = Annotated[
    Path, typer.Option("--export", metavar="DIR", help="Output of `lstmlm export`.", show_default=False)
]
RayAddress = Annotated[
    str | None,
    typer.Option("--ray-address", metavar="ADDRESS", help="Ray cluster to train on; absent: one started here."),
]

RunnerName = Annotated[
    str,
    typer.Option("--runner", metavar="NAME", help="Where Beam runs: direct, processes, flink, spark or dataflow."),
]
BeamWorkers = Annotated[
    int | None,
    typer.Option("--workers", min=1, metavar="N", help="Worker processes, or how wide a cluster spreads each step."),
]
BeamOptions = Annotated[
    list[str] | None,
    typer.Option("--beam-option", metavar="KEY=VALUE", help="An option of Beam or its runner; repeatable."),
]


def read_recipe(path: Path, overrides: Sequence[str] | None) -> Recipe:
    """Reads and checks a recipe, the names of its task and of the metric it trains by included.

    Raises:
        UserError: A field is wrong (see `lstmlm.recipe_file.load_recipe`), or there is no such task or metric.
    """
    from lstmlm.recipe_file import load_recipe
    from lstmlm.training.objective import choose_objective

    recipe = load_recipe(path, overrides or ())
    choose_objective(recipe)
    return recipe
