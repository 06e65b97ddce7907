"""The commands that write the weights of a model as a `.keras` file, and read them again."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from lstmlm.cli.console import Screen
from lstmlm.cli.logs import captured
from lstmlm.cli.options import Output, local_path
from lstmlm.publish.folder import MANIFEST
from lstmlm.publish.places import companion

keras_app = typer.Typer(help="Weights as a `.keras` file.", no_args_is_help=True)

_File = Annotated[Path, typer.Argument(metavar="FILE", help="A `.keras` file.", callback=local_path)]
_Model = Annotated[Path, typer.Argument(metavar="MODEL", help="Output of `lstmlm train`.", callback=local_path)]


def register(app: typer.Typer) -> None:
    """Adds the commands to the application."""
    keras_app.command()(write)
    keras_app.command()(read)
    app.add_typer(keras_app, name="keras", rich_help_panel="Around it")


def write(model: _Model, file: _File) -> None:
    """Write the weights of a model as a `.keras` file, which Keras loads by itself."""
    with captured(companion(file, ".log")) as terminal, Screen(terminal) as screen:
        from lstmlm.training.checkpoints.keras_file import to_keras_file

        screen.line(f"{file}: {to_keras_file(model, file)}")


def read(file: _File, model: _Model, output: Output) -> None:
    """Make a model like MODEL with the weights of a `.keras` file; nothing that the file names is run."""
    with captured(companion(output, ".log")) as terminal, Screen(terminal) as screen:
        line = screen.stage("keras read")
        cached = (output / MANIFEST).is_file()
        from lstmlm.training.checkpoints.keras_file import from_keras_file

        from_keras_file(file, model, output)
        screen.summary([line.finish(output, cached=cached)])
