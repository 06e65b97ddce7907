"""Durable writes: data, folders and names are synced to disk before a stage counts as done.

A rename does not order writes: after a cut the new name may exist with files of 0 bytes, or not at all. An object of a
store is durable as soon as its writer has closed it, so there is nothing to wait for.
"""

from __future__ import annotations

import errno
import os
import shutil
from pathlib import Path

from lstmlm.storage import StorePath

_NO_FOLDER_SYNC = {errno.EINVAL, errno.ENOTSUP, errno.EBADF, errno.EACCES, errno.EISDIR}
"""What file systems answer that cannot sync a folder, or that do not let a folder be opened (a write-only mount)."""


def sync_file(path: Path) -> None:
    """Waits until the content of a file is on the disk."""
    if isinstance(path, StorePath):
        return
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_folder(path: Path) -> None:
    """Waits until the names in a folder are on the disk; does nothing where the file system has no such operation."""
    try:
        sync_file(path)
    except OSError as error:
        if error.errno not in _NO_FOLDER_SYNC:
            raise


def sync_tree(folder: Path) -> None:
    """Waits until every file and folder below `folder`, and `folder` itself, is on the disk."""
    if isinstance(folder, StorePath):
        return
    for parent, _, files in os.walk(folder, topdown=False):
        for name in files:
            path = Path(parent, name)
            if not path.is_symlink():
                sync_file(path)
        sync_folder(Path(parent))


def replace(source: Path, target: Path) -> None:
    """Renames a file or folder whose content is on the disk, and waits until its new name is.

    Args:
        source: What to rename.
        target: Its new path; what is there is replaced, if a rename can.
    """
    os.replace(source, target)
    sync_folder(target.parent)


def make_folders(folder: Path) -> None:
    """Makes a folder and those above it that are missing, and waits until their names are on the disk."""
    if isinstance(folder, StorePath):
        return
    missing = []
    path = folder
    while not path.exists() and path != path.parent:
        missing.append(path)
        path = path.parent
    folder.mkdir(parents=True, exist_ok=True)
    for path in reversed(missing):
        sync_folder(path.parent)


def remove_folder(folder: Path) -> None:
    """Removes a folder of this machine or of a store, with all that is in it."""
    if isinstance(folder, StorePath):
        folder.remove()
    else:
        shutil.rmtree(folder)
