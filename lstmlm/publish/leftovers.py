"""Removes partial outputs of dead processes next to an output; those of live processes are kept.

Whoever writes an output holds its lock, which the system frees when the process dies, on this or another machine: so
a draft whose lock can be had is nobody's.
"""

from __future__ import annotations

import contextlib
import logging
import os
import re
import secrets
import shutil
from pathlib import Path

from lstmlm.errors import UserError
from lstmlm.publish.locks import locked_file
from lstmlm.publish.places import MOVING, PARTIAL, Site, names_moving

_PROCESS = re.compile(r"\d+(-[0-9a-f]{8})?")
_DRAFT = re.compile(rf"\.(?P<name>.+)\.{PARTIAL}{_PROCESS.pattern}")
_LOG = logging.getLogger(__name__)


def draft_name() -> str:
    """Returns a new name for a draft: process ids are reused, and each container has a process 1."""
    return f"{PARTIAL}{os.getpid()}-{secrets.token_hex(4)}"


def sweep(site: Site) -> None:
    """Removes what earlier writers of an output left, and drafts of other outputs in the same folder.

    Only for the holder of the output's lock.
    """
    start = site.hidden(PARTIAL).name
    for draft in site.hidden_paths(PARTIAL):
        if not _PROCESS.fullmatch(draft.name.removeprefix(start)):
            continue
        _LOG.info("%s: removed, its process is dead", draft)
        discard(draft, site)
    if not site.inside:
        for file in site.folder.parent.glob(f".{_escaped(site.folder.name)}.*.{PARTIAL}*"):
            if file.is_file():  # of a file that goes with the output, such as its metrics
                _remove(file)
        _sweep_others(site)


def discard(draft: Path, site: Site) -> None:
    """Removes a draft, and what it has already moved up into an output that is written in place."""
    if draft.is_dir() and site.inside and (draft / MOVING).is_file():
        for name in names_moving(draft):
            _remove(site.folder / name)
    _remove(draft)


def _sweep_others(site: Site) -> None:
    parent = site.folder.parent
    for draft in parent.glob(f".*.{PARTIAL}*"):
        found = _DRAFT.fullmatch(draft.name)
        if found is None or found["name"] == site.folder.name or not draft.is_dir():
            continue
        gone = draft.with_name(f".{site.folder.name}.{draft_name()}")
        with (
            contextlib.suppress(UserError, OSError),
            locked_file(parent / f".{found['name']}.lock", parent, patient=False),
        ):
            draft.rename(gone)  # at once, so that its lock is held for a moment only
        _remove(gone)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        with contextlib.suppress(OSError):
            path.unlink(missing_ok=True)


def _escaped(name: str) -> str:
    return re.sub(r"([*?[])", r"[\1]", name)
