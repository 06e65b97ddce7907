"""The commands that run one stage each, and the one that lists the stages. They follow the table of stages."""

from __future__ import annotations

import dataclasses
import json
from typing import Annotated, Any

import typer

from lstmlm.cli.stages.commands import stage_command
from lstmlm.cli.stages.special import SPECIAL
from lstmlm.stages import STAGES, Stage, sections_read, stages_before


def register(app: typer.Typer) -> None:
    """Adds a command for each stage of the table to the application."""
    for stage in STAGES.values():
        if stage.function:
            command = SPECIAL.get(stage.name) or stage_command(stage)
            app.command(stage.name, help=stage.help, rich_help_panel="One stage")(command)
    app.command("stages", rich_help_panel="Around it")(stages)


def stages(
    as_json: Annotated[bool, typer.Option("--json", help="Print everything that is known of each, as JSON.")] = False,
) -> None:
    """List the stages of a run: what each reads and makes."""
    rows = [row(stage) for stage in STAGES.values()]
    if as_json:
        typer.echo(json.dumps(rows, indent=1, ensure_ascii=False))
        return
    width = max(len(stage.name) for stage in STAGES.values())
    for stage in STAGES.values():
        typer.echo(f"{stage.name:{width}}  {stage.help}")


def row(stage: Stage) -> dict[str, Any]:
    """Returns what other programs may know of a stage, such as a scheduler.

    Returns:
        The row of the table, with `sections` (what of the recipe the stage and those before it depend on) and
        `before` (the stages that a pipeline runs right before it).
    """
    known = dataclasses.asdict(stage)
    return known | {"sections": sorted(sections_read(stage)), "before": stages_before(stage)}
