"""The commands that write a recipe for another scheduler."""

from __future__ import annotations

import typer

from lstmlm.cli.targets.commands import compile, render


def register(app: typer.Typer) -> None:
    """Adds the commands to the application."""
    for command in (compile, render):
        app.command(rich_help_panel="A whole recipe")(command)
