"""The files below a root that a name, a folder or a glob stands for, local or remote.

A glob matches folder by folder: `*`, `?` and `[...]` stay within a name, `**` stands for any number of folders. What
leads out of the root is refused; symbolic links to folders are not followed, so a loop of them cannot be walked.
"""

from __future__ import annotations

import dataclasses
import errno
import os
import re
import stat
from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath

from lstmlm.corpus.openers import cannot_reach, cannot_read, file_systems
from lstmlm.errors import UserError

_GLOB = re.compile(r"[*?[]")


@dataclasses.dataclass(frozen=True, slots=True)
class Found:
    """A file: its name below the root, its path or URL, and its size in bytes."""

    name: str
    path: str
    size: int


@dataclasses.dataclass(frozen=True, slots=True)
class LeftOut:
    """Something in a folder or glob that is not read, and why.

    Attributes:
        name: Its name below the root.
        reason: `hidden`, `unknown_ending`, `linked_folder`, `no_file` (a socket, ...), or what
            `lstmlm.corpus.layouts` says.
    """

    name: str
    reason: str


@dataclasses.dataclass(frozen=True, slots=True)
class Listing:
    """What was found, sorted by name, and whether the pattern named a folder."""

    found: list[Found]
    left_out: list[LeftOut]
    folder: bool = False


def list_files(root: Path | str, pattern: str, field: str, endings: Sequence[str]) -> Listing:
    """Returns the files that a pattern names.

    Args:
        root: A local folder or a URL.
        pattern: Name of a file or folder, or a glob, relative to the root. A name may hold what means something in
            a glob. Of a folder, all files with one of the endings are meant, at any depth.
        field: The recipe's field, for messages.
        endings: What a corpus file's name ends in, in lower case.

    Raises:
        UserError: The pattern or a link leads out of the root, nothing is found, or something cannot be listed.
    """
    # In a store, two slashes in a row are a part of the name.
    clean = pattern.strip("/") or "." if isinstance(root, str) else PurePosixPath(pattern).as_posix()
    parts = () if clean == "." else tuple(clean.split("/"))
    if pattern.startswith("/") or "://" in pattern:
        raise UserError(f"{pattern} is absolute", where=field, cure="Name it relative to corpus.root")
    if ".." in parts or "\0" in pattern:
        raise UserError(f"{pattern!r} leads out of corpus.root", where=field, cure="Name what lies below corpus.root")
    listing = _remote(root, parts, endings) if isinstance(root, str) else _Local(root, endings).find(parts)
    if not listing.found:
        where = f"{str(root).rstrip('/')}/{clean}" if parts else str(root)
        if listing.folder:
            raise UserError("no corpus file in this folder", where=where, cure=f"One ends in {', '.join(endings)}")
        raise UserError("no such file in the corpus", where=where, cure=f"Check {field} and corpus.root in the recipe")
    found = sorted(listing.found, key=lambda file: file.name)
    return Listing(found, sorted(listing.left_out, key=lambda one: one.name), listing.folder)


def name_matches(name: str, pattern: str) -> bool:
    """Says whether a name below the root (with forward slashes) is one that a glob stands for."""
    return _match(name.split("/"), pattern.split("/"))


def _match(names: Sequence[str], patterns: Sequence[str]) -> bool:
    if not patterns:
        return not names
    if patterns[0] == "**":
        return any(_match(names[skipped:], patterns[1:]) for skipped in range(len(names) + 1))
    return bool(names) and fnmatchcase(names[0], patterns[0]) and _match(names[1:], patterns[1:])


def _literal(parts: Sequence[str]) -> tuple[str, ...]:
    """Returns the parts before the first that is a glob."""
    count = next((place for place, part in enumerate(parts) if _GLOB.search(part)), len(parts))
    return tuple(parts[:count])


class _Local:
    def __init__(self, root: Path, endings: Sequence[str]) -> None:
        if not stat.S_ISDIR(_mode(root)):
            raise UserError("no such folder", where=str(root), cure="Set corpus.root to the folder of the corpus")
        self._root, self._endings = root, tuple(endings)
        self._resolved = root.resolve()

    def find(self, parts: Sequence[str]) -> Listing:
        exact = self._root.joinpath(*parts)
        mode = _mode(exact)
        if stat.S_ISREG(mode):
            return Listing([self._file(exact)], [])
        if stat.S_ISDIR(mode):
            return self._folder(exact)
        return self._glob(parts)

    def _folder(self, folder: Path) -> Listing:
        listing = Listing([], [], folder=True)
        for name, is_folder in self._walk(folder, None):
            if PurePosixPath(name).name.startswith("."):
                listing.left_out.append(LeftOut(name, "hidden"))
            elif is_folder:
                listing.left_out.append(LeftOut(name, "linked_folder"))
            elif not name.lower().endswith(self._endings):
                listing.left_out.append(LeftOut(name, "unknown_ending"))
            else:
                self._add(listing, name)
        return listing

    def _glob(self, parts: Sequence[str]) -> Listing:
        listing = Listing([], [])
        literal = _literal(parts)
        base = self._root.joinpath(*literal)
        if len(literal) == len(parts) or not stat.S_ISDIR(_mode(base)):
            return listing
        depth = None if "**" in parts else len(parts) - len(literal)
        for name, is_folder in self._walk(base, depth):
            if not is_folder and _match(name.split("/"), parts):
                if PurePosixPath(name).name.startswith("."):
                    listing.left_out.append(LeftOut(name, "hidden"))
                else:
                    self._add(listing, name)
        return listing

    def _walk(self, base: Path, depth: int | None) -> Iterator[tuple[str, bool]]:
        """Yields (name, whether it is a folder not entered) for all below a folder, at most `depth` names deep."""
        self._check_inside(base)

        def refuse(error: OSError) -> None:
            raise cannot_read(str(error.filename), error) from error

        for here, folders, files in os.walk(base, onerror=refuse):
            below = Path(here).relative_to(self._root)
            entered = []
            for folder in folders:
                if folder.startswith(".") or (Path(here) / folder).is_symlink():
                    yield (below / folder).as_posix(), True
                elif depth is None or len(Path(here).relative_to(base).parts) + 1 < depth:
                    entered.append(folder)
            folders[:] = entered
            for file in files:
                yield (below / file).as_posix(), False

    def _add(self, listing: Listing, name: str) -> None:
        path = self._root / name
        mode = _mode(path)
        if stat.S_ISREG(mode) or not mode:
            listing.found.append(self._file(path))
        else:
            listing.left_out.append(LeftOut(name, "no_file"))

    def _file(self, path: Path) -> Found:
        self._check_inside(path)
        try:
            status = path.stat()
        except OSError as error:  # a link to nothing, or gone since it was listed
            raise cannot_read(str(path), error) from error
        if not stat.S_ISREG(status.st_mode):
            raise UserError("a link, but not to a file", where=str(path), cure="Remove the link, or name files instead")
        return Found(path.relative_to(self._root).as_posix(), str(path), status.st_size)

    def _check_inside(self, path: Path) -> None:
        target = Path(os.path.realpath(path))
        if not target.is_relative_to(self._resolved):
            cure = "Copy it into corpus.root, or set corpus.root to a folder that holds both"
            raise UserError(f"a link that leads out of corpus.root, to {target}", where=str(path), cure=cure)


def _mode(path: Path) -> int:
    """Returns the mode bits of a path, 0 where there is nothing."""
    try:
        return path.stat().st_mode
    except OSError as error:
        if error.errno in (errno.ENOENT, errno.ENOTDIR, errno.ENAMETOOLONG):
            return 0
        if error.errno == errno.ELOOP:
            cure = "Mend or remove the symbolic link"
            raise UserError("a symbolic link that leads to itself", where=str(path), cure=cure) from error
        raise cannot_read(str(path), error) from error


def _remote(root: str, parts: Sequence[str], endings: Sequence[str]) -> Listing:
    pattern = "/".join(parts)
    literal = pattern[: found.start()] if (found := _GLOB.search(pattern)) else pattern
    base = root.rstrip("/") + "/"
    files = {name: Found(name, base + name, size) for name, size in _stored(base, literal)}
    if pattern in files:
        return Listing([files[pattern]], [])
    folder = f"{pattern}/" if pattern else ""
    inside = [file for name, file in files.items() if name.startswith(folder)]
    listing = Listing([], [], folder=bool(inside))
    for file in inside or [file for name, file in files.items() if _match(name.split("/"), parts)]:
        below = file.name.split("/")[len(parts if inside else _literal(parts)) :]
        if any(part.startswith(".") for part in below):
            listing.left_out.append(LeftOut(file.name, "hidden"))
        elif inside and not file.name.lower().endswith(tuple(endings)):
            listing.left_out.append(LeftOut(file.name, "unknown_ending"))
        else:
            listing.found.append(file)
    return listing


def _stored(base: str, prefix: str) -> Iterator[tuple[str, int]]:
    """Yields (name, size) of the objects whose names begin with a prefix; markers of folders are no objects."""
    try:
        # Beam knows no other quotation than a set of one character.
        quoted = _GLOB.sub(lambda found: f"[{found[0]}]", base + prefix)
        (match,) = file_systems(base).match([f"{quoted}**"])
    except UserError:
        raise
    except Exception as error:  # every store raises its own kinds
        raise cannot_reach(base, error) from error
    for metadata in match.metadata_list:
        if not metadata.path.endswith("/"):
            yield metadata.path.removeprefix(base), metadata.size_in_bytes
