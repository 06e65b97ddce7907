"""`lstmlm sweep`: frees the space of a store that no manifest names."""

from __future__ import annotations

from typing import Annotated

import typer

from lstmlm.cli.console import Screen
from lstmlm.cli.logs import captured_aside
from lstmlm.errors import UserError


def register(app: typer.Typer) -> None:
    """Adds the command to the application."""
    app.command(rich_help_panel="Around it")(sweep)


def sweep(
    place: Annotated[
        str,
        typer.Argument(metavar="URL", help="An output in s3:// or gs://, or a folder with many.", show_default=False),
    ],
    older_than: Annotated[
        float, typer.Option(min=0, metavar="HOURS", help="Keep what was written within these hours.")
    ] = 24.0,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only list what would be removed.")] = False,
) -> None:
    """Remove from a store what failed attempts and unfinished jobs left."""
    from lstmlm import storage
    from lstmlm.publish.store_sweep import sweep_store

    folder = storage.place(place)
    if not isinstance(folder, storage.StorePath):
        hint = "Name a URL of s3:// or gs://; on a disk, the next run of a stage removes what the last one left"
        raise UserError("not in an object store", where=place, hint=hint)
    with captured_aside() as terminal, Screen(terminal) as screen:
        found = sweep_store(folder, older_than * 3600, remove=not dry_run)
        screen.rows(
            ("would be removed" if dry_run else "removed", "objects", "bytes", "hours old"),
            [(str(one.folder), one.objects, one.size, round(one.seconds / 3600, 1)) for one in found],
        )
