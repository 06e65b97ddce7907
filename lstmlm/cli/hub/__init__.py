"""The commands about the folder form of the Hugging Face hub."""

from __future__ import annotations

import typer

from lstmlm.cli.hub.commands import load, write


def register(app: typer.Typer) -> None:
    """Adds the commands to the application."""
    hub = typer.Typer(help="Models in the folder form of the Hugging Face hub.", no_args_is_help=True)
    hub.command()(write)
    hub.command()(load)
    app.add_typer(hub, name="hub", rich_help_panel="Around it")
