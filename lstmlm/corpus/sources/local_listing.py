"""Lists the files below a local folder. Links that lead out of it are refused; links to folders are not followed."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Sequence
from pathlib import Path

from lstmlm.corpus.reading.openers import cannot_read
from lstmlm.corpus.sources.found import Found, Listing
from lstmlm.corpus.sources.globs import literal
from lstmlm.corpus.sources.own_outputs import is_own_folder
from lstmlm.corpus.sources.sorting import Sorting
from lstmlm.errors import UserError


class LocalFiles:
    """The files below a root.

    Raises:
        UserError: The root is no folder.
    """

    def __init__(self, root: Path, endings: Sequence[str]) -> None:
        if not stat.S_ISDIR(_mode(root)):
            raise UserError("no such folder", where=str(root), hint="Set corpus.root to the folder of the corpus")
        self._root, self._endings = root, tuple(endings)
        self._resolved = root.resolve()

    def find(self, parts: Sequence[str]) -> Listing:
        """Returns the files that the parts of a name, folder or glob match; see `lstmlm.corpus.sources.listing`."""
        exact = self._root.joinpath(*parts)
        mode = _mode(exact)
        if stat.S_ISREG(mode):
            return Listing([self._file(exact)], [], base=len(parts), exact=True)
        if stat.S_ISDIR(mode):
            return self._below(exact, Sorting(self._endings, len(parts), None), None)
        fixed = literal(parts)
        base = self._root.joinpath(*fixed)
        if len(fixed) == len(parts) or not stat.S_ISDIR(_mode(base)):
            return Listing([], [])
        depth = None if "**" in parts else len(parts) - len(fixed)
        return self._below(base, Sorting(self._endings, len(fixed), parts[len(fixed) :]), depth)

    def _below(self, base: Path, sorting: Sorting, depth: int | None) -> Listing:
        """Sorts everything below a folder, at most `depth` names deep; folders that are left out are not entered."""
        self._check_inside(base)

        def refuse(error: OSError) -> None:
            raise cannot_read(str(error.filename), error) from error

        for here, folders, files in os.walk(base, onerror=refuse):
            place = Path(here)
            own = is_own_folder(place)
            if own and place != base and sorting.own(place.relative_to(self._root).as_posix()):
                folders.clear()
                continue
            deeper = depth is None or len(place.relative_to(base).parts) + 1 < depth
            folders[:] = sorted(folder for folder in folders if self._enters(place / folder, sorting) and deeper)
            for file in files:
                self._sort(place / file, sorting, accounts=own)
        return sorting.listing

    def _enters(self, folder: Path, sorting: Sorting) -> bool:
        name = folder.relative_to(self._root).as_posix()
        if sorting.omits(name, folder=True):
            return False
        if folder.is_symlink():
            if sorting.listing.folder:
                sorting.leave(name, "linked_folder")
            return False
        return True

    def _sort(self, path: Path, sorting: Sorting, *, accounts: bool) -> None:
        name = path.relative_to(self._root).as_posix()
        if not sorting.matches(name) or sorting.omits(name, folder=False):
            return
        if not sorting.readable(name, accounts=accounts):
            return
        mode = _mode(path)
        if stat.S_ISREG(mode) or not mode:
            sorting.listing.found.append(self._file(path))
        else:
            sorting.leave(name, "no_file")

    def _file(self, path: Path) -> Found:
        self._check_inside(path)
        try:
            status = path.stat()
        except OSError as error:  # a link to nothing, or gone since it was listed
            raise cannot_read(str(path), error) from error
        if not stat.S_ISREG(status.st_mode):
            raise UserError("a link, but not to a file", where=str(path), hint="Remove the link, or name files instead")
        identity = (status.st_dev, status.st_ino) if status.st_ino else None
        name = path.relative_to(self._root).as_posix()
        return Found(name, str(path), status.st_size, identity, path.is_symlink())

    def _check_inside(self, path: Path) -> None:
        target = Path(os.path.realpath(path))
        if not target.is_relative_to(self._resolved):
            hint = "Copy it into corpus.root, or set corpus.root to a folder that holds both"
            raise UserError(f"a link that leads out of corpus.root, to {target}", where=str(path), hint=hint)


def _mode(path: Path) -> int:
    """Returns the mode bits of a path, 0 where there is nothing."""
    try:
        return path.stat().st_mode
    except OSError as error:
        if error.errno in (errno.ENOENT, errno.ENOTDIR, errno.ENAMETOOLONG):
            return 0
        if error.errno == errno.ELOOP:
            hint = "Fix or remove the symbolic link"
            raise UserError("a symbolic link that leads to itself", where=str(path), hint=hint) from error
        raise cannot_read(str(path), error) from error
