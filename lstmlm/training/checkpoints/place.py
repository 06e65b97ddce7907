"""The checkpoint folder of a training run, locked by one process at a time.

It is in the run's folder, which depends on where the command is started. A file next to the output says where, so that
the same command with the same output resumes wherever it is started. Of an output in a store it is in that store.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
from collections.abc import Iterator
from pathlib import Path

from lstmlm.errors import UserError
from lstmlm.publish.durable import remove_folder
from lstmlm.publish.folder import replacing
from lstmlm.publish.locks import locked
from lstmlm.publish.places import Site
from lstmlm.recipe.recipe import Recipe
from lstmlm.storage import StorePath, place
from lstmlm.training.checkpoints.checkpoint import checkpoints

logger = logging.getLogger(__name__)


@contextlib.contextmanager
def held_checkpoints(recipe: Recipe, site: Site, stamp: str) -> Iterator[Path]:
    """Holds the folder of checkpoints of a training; yields it. Without a checkpoint in it, it is gone afterwards.

    Args:
        recipe: The run.
        site: Of the output.
        stamp: The fingerprint of what is trained.

    Raises:
        UserError: Another process trains this, or nothing can be written there.
    """
    pointer = site.hidden("checkpoints")
    folder = _resumable(pointer, stamp) or _usual(recipe, site, stamp)
    with locked(folder) as lease:
        with replacing(pointer, durable=True) as stream:
            stream.write(json.dumps({"folder": str(folder), "fingerprint": stamp}).encode() + b"\n")
        try:
            yield folder
        finally:
            if (lease is None or lease.is_held()) and not checkpoints(folder):
                with contextlib.suppress(OSError):
                    remove_folder(folder)
                pointer.unlink(missing_ok=True)


def forget_checkpoints(site: Site, stamp: str) -> None:
    """Removes the checkpoints of a training that has published, should its process have died right after that.

    Args:
        site: Of the output.
        stamp: The fingerprint of what is trained.
    """
    pointer = site.hidden("checkpoints")
    with contextlib.suppress(OSError, UserError):  # another output is trained from them, or nothing can be written
        folder = _resumable(pointer, stamp)
        if folder is not None:
            with locked(folder):
                remove_folder(folder)
        pointer.unlink(missing_ok=True)


def home_of(recipe: Recipe, site: Site) -> Path:
    """Returns the folder in which a run keeps the states of its trainings.

    For an output in a store, of a run whose folder is not, it is next to the output and has the name of the run.

    Args:
        recipe: The run.
        site: Of the output.
    """
    if not isinstance(site.folder, StorePath) or isinstance(recipe.run_folder, StorePath):
        return recipe.run_folder
    return (site.folder if site.inside else site.folder.parent) / f".{recipe.name}.training.work"


def _usual(recipe: Recipe, site: Site, stamp: str) -> Path:
    folder = (home_of(recipe, site) / "checkpoints" / stamp[:16]).resolve()
    if isinstance(folder, StorePath):
        return folder
    parent = next(path for path in folder.parents if path.exists())
    if os.access(parent, os.W_OK | os.X_OK):
        return folder
    here = site.hidden("work")
    logger.warning("%s cannot be written: the checkpoints go to %s", parent, here)
    return here


def _resumable(pointer: Path, stamp: str) -> Path | None:
    """Returns the folder in which an earlier command with this output left checkpoints of this very training."""
    folder, found = _read(pointer)
    return folder if folder is not None and found == stamp and checkpoints(folder) else None


def pointed(site: Site) -> Path | None:
    """Returns the folder of checkpoints that an earlier command with this output used, of whatever recipe."""
    return _read(site.hidden("checkpoints"))[0]


def _read(pointer: Path) -> tuple[Path | None, str | None]:
    """Returns the folder and the fingerprint that a pointer names; None where it is missing or damaged."""
    try:
        found = json.loads(pointer.read_bytes())
        return place(str(found["folder"])), found.get("fingerprint")
    except (OSError, ValueError, TypeError, KeyError):
        return None, None
