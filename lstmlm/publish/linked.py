"""Stores a file once where several finished folders hold it: hard links inside one file system, copies elsewhere.

Each folder still has all of its files: it can be moved, copied or removed by itself. A finished file is never written
to again: whatever replaces one renames another over it.
"""

from __future__ import annotations

import contextlib
import filecmp
import os
import secrets
import shutil
from pathlib import Path

from lstmlm.storage import StorePath
from lstmlm.storage.files import copy_file


def link_or_copy(source: Path, target: Path) -> None:
    """Makes `target` the same file as `source`, or a copy where the file system cannot (another one, no links).

    Raises:
        FileExistsError: There is something at `target`.
        OSError: The source cannot be read, or the copy cannot be written.
    """
    if isinstance(source, StorePath):
        copy_file(source, target)
        return
    try:
        os.link(source.resolve(), target)
    except FileExistsError:
        raise
    except OSError:
        shutil.copyfile(source, target)


def share_files(folder: Path, copy: Path) -> int:
    """Replaces the files of a copy of a folder by links to those of the folder, where their bytes are the same.

    Args:
        folder: A finished folder.
        copy: A copy of it; it is whole at every moment.

    Returns:
        The bytes that are no longer stored twice.
    """
    saved = 0
    for path in sorted(copy.rglob("*")):
        own = folder / path.relative_to(copy)
        if path.is_symlink() or not path.is_file() or not own.is_file() or os.path.samefile(own, path):
            continue
        if filecmp.cmp(own, path, shallow=False):
            linked = path.with_name(f".{path.name}.partial-{os.getpid()}-{secrets.token_hex(4)}")
            with contextlib.suppress(OSError):  # another file system: the copy stays
                os.link(own.resolve(), linked)
                size = path.stat().st_size
                os.replace(linked, path)
                saved += size
    return saved
