"""`lstmlm serve`: a model over HTTP, with a small page."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from lstmlm.cli.logs import captured_aside
from lstmlm.cli.options import DecodingFields, ExportPlaces, Threads, decoding_fields
from lstmlm.processes import interrupts


def register(app: typer.Typer) -> None:
    """Adds the command to the application."""
    app.command(rich_help_panel="Around it")(serve)


def serve(
    exports: ExportPlaces,
    host: Annotated[
        str, typer.Option(metavar="ADDRESS", help="Listen here; not only on this machine: with $LSTMLM_SERVE_TOKEN.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, metavar="N", help="0: any that is free.")] = 8000,
    queue: Annotated[
        int, typer.Option(min=1, metavar="N", help="Inputs that are accepted and not answered, at most; then 503.")
    ] = 1024,
    max_bytes: Annotated[int, typer.Option(min=1024, metavar="N", help="Bytes of a request, at most.")] = 8 << 20,
    threads: Threads = None,
    recipe: Annotated[
        Path | None, typer.Option(metavar="RECIPE", help="Needed for a model of another package's code.")
    ] = None,
    overrides: DecodingFields = None,
) -> int:
    """Serve a model over HTTP on this machine, with a page to try it."""
    with captured_aside() as terminal:
        from lstmlm.api.load import load
        from lstmlm.serving.access import access_for
        from lstmlm.serving.run import Place, run, warm_up

        def say(text: str) -> None:
            print(text, file=terminal.out, flush=True)

        access = access_for(host)
        model = load(exports, decoding=decoding_fields(overrides), threads=threads, recipe=recipe)
        warm_up(model)
        interrupts.explain("the server was not ready")
        number = run(model, Place(host, port, queue, max_bytes), access, say)
    return 0 if number is None else 128 + number
