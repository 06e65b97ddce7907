"""The command that runs a recipe as a job of a Ray cluster."""

from __future__ import annotations

import typer

from lstmlm.cli.jobs.submit import submit


def register(app: typer.Typer) -> None:
    """Adds the command to the application."""
    app.command(rich_help_panel="A whole recipe")(submit)
