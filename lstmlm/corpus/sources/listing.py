"""The files below a root that a name, a folder or a glob matches, local or remote.

A glob matches folder by folder: `*`, `?` and `[...]` stay within a name, `**` matches any number of folders. What
leads out of the root is refused; symbolic links to folders are not followed, so a loop of them cannot be walked. Of a
folder or glob, some names are left out (see `lstmlm.corpus.sources.sorting`); a file with its full name is read.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from lstmlm.corpus.sources.found import Found, LeftOut, Listing
from lstmlm.corpus.sources.local_listing import LocalFiles
from lstmlm.corpus.sources.omitted import shown
from lstmlm.corpus.sources.remote_listing import remote_files
from lstmlm.corpus.sources.sorting import UNKNOWN_ENDING
from lstmlm.errors import UserError

SAME_FILE = "same_file"


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
        raise UserError(f"{pattern} is absolute", where=field, hint="Name it relative to corpus.root")
    if ".." in parts or "\0" in pattern:
        raise UserError(f"{pattern!r} leads out of corpus.root", where=field, hint="Name files below corpus.root")
    listing = remote_files(root, parts, endings) if isinstance(root, str) else LocalFiles(root, endings).find(parts)
    if not listing.found:
        where = f"{str(root).rstrip('/')}/{clean}" if parts else str(root)
        raise _nothing(listing, where, field, endings)
    found, doubles = _once(listing.found)
    left_out = sorted([*listing.left_out, *doubles], key=lambda one: one.name)
    return dataclasses.replace(listing, found=found, left_out=left_out)


def _once(files: Sequence[Found]) -> tuple[list[Found], list[LeftOut]]:
    """Returns the files sorted by name, each once, and their other names; what is no link stays."""
    kept: dict[tuple[int, int] | str, Found] = {}
    for file in sorted(files, key=lambda file: (file.is_link, file.name)):
        kept.setdefault(file.identity or file.path, file)
    doubles = [
        LeftOut(file.name, SAME_FILE, kept[file.identity].name)
        for file in files
        if file.identity is not None and kept[file.identity] is not file
    ]
    return sorted(kept.values(), key=lambda file: file.name), doubles


def _nothing(listing: Listing, where: str, field: str, endings: Sequence[str]) -> UserError:
    """Returns the error of a pattern without a file, with what was there and why it is not read."""
    if listing.left_out:
        reasons: dict[str, list[str]] = {}
        for one in listing.left_out:
            kind = f"{ending_of(one.name)}" if one.reason == UNKNOWN_ENDING else one.reason
            reasons.setdefault(kind, []).append(one.name)
        there = "; ".join(f"{kind}: {shown(names, 2)}" for kind, names in sorted(reasons.items()))
        what = f"no corpus file in this {'folder' if listing.folder else 'glob'}, only {there}"
        plain = [ending for ending in endings if ending.count(".") == 1]
        hint = f"A corpus file ends in {', '.join(plain)}, also compressed; or name a file by its full name"
        return UserError(what, where=where, hint=hint)
    if listing.folder:
        return UserError("no corpus file in this folder", where=where, hint=f"It is empty: check {field}")
    return UserError("no such file in the corpus", where=where, hint=f"Check {field} and corpus.root in the recipe")


def ending_of(name: str) -> str:
    """Returns what a name ends in, such as `.doc` or `.doc.gz`, or `no ending`."""
    return "".join(PurePosixPath(PurePosixPath(name).name).suffixes[-2:]).lower() or "no ending"
