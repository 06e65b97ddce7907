"""The commands that write an export in the folder form of the Hugging Face hub, and read it again."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from lstmlm.cli.console import Screen
from lstmlm.cli.logs import captured
from lstmlm.cli.options import Output, local_path
from lstmlm.publish.folder import MANIFEST
from lstmlm.publish.places import companion


def write(
    export: Annotated[Path, typer.Argument(metavar="EXPORT", help="Output of `lstmlm export`.", callback=local_path)],
    output: Output,
    evaluation: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR", help="Output of `lstmlm evaluate`: metrics for the model card.", callback=local_path
        ),
    ] = None,
    licence: Annotated[
        str | None,
        typer.Option("--license", metavar="ID", help="The model's licence, as the hub calls it, such as cc-by-4.0."),
    ] = None,
    name: Annotated[str | None, typer.Option(metavar="NAME", help="The model's name; absent: its recipe's.")] = None,
) -> None:
    """Write an export as a hub folder: safetensors, tokenizer.json, ONNX and a model card."""
    with captured(companion(output, ".log")) as terminal, Screen(terminal) as screen:
        line = screen.stage("hub write")
        cached = (output / MANIFEST).is_file()
        from lstmlm.hub.write import write as written

        manifest = written(export, output, evaluation=evaluation, licence=licence, name=name)
        screen.summary([line.finish(output, cached=cached)])
        screen.line(f"{manifest.facts['parameters']:,} parameters in {len(manifest.files)} files")


def load(
    folder: Annotated[
        Path, typer.Argument(metavar="FOLDER", help="Output of `lstmlm hub write`.", callback=local_path)
    ],
    output: Output,
) -> None:
    """Make an export of a hub folder; nothing in the folder is run."""
    with captured(companion(output, ".log")) as terminal, Screen(terminal) as screen:
        line = screen.stage("hub load")
        cached = (output / MANIFEST).is_file()
        from lstmlm.hub.load import load as loaded

        loaded(folder, output, line)
        screen.summary([line.finish(output, cached=cached)])
