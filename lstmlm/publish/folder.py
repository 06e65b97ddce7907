"""Atomic output folders: written under a temporary name, sealed by a manifest, then renamed.

Readers refuse a folder without `manifest.json`, so a crash at any moment leaves nothing that looks finished. Files,
folder and name are on the disk before a writer returns, so a power cut afterwards takes nothing away.

A store has no rename. There the files are objects below the folder, in a folder of the attempt. The manifest names the
attempt, and is created last and only if there is none: of two writers one succeeds, and readers never see a mixture.
"""

from __future__ import annotations

import concurrent.futures
import contextlib
import dataclasses
import errno
import json
import os
import secrets
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextvars import ContextVar
from pathlib import Path
from typing import Any, BinaryIO, Protocol, cast

from lstmlm.errors import TryAgain, UserError, is_no_space
from lstmlm.publish.durable import make_folders, remove_folder, replace, sync_file, sync_folder, sync_tree
from lstmlm.publish.leftovers import discard, draft_name, sweep
from lstmlm.publish.locks import locked, locked_file, unwritable
from lstmlm.publish.manifest import ATTEMPT, MANIFEST, Manifest, fingerprint, manifest_text, read_manifest, sha256_file
from lstmlm.publish.places import MOVING, PARTIAL, Site, content, site_of
from lstmlm.storage import StorePath
from lstmlm.storage.many import STREAMS

__all__ = [
    "MANIFEST",
    "Claim",
    "Draft",
    "Manifest",
    "claimed",
    "fingerprint",
    "full_disk_reported",
    "is_finished",
    "publish",
    "read_manifest",
    "replacing",
    "sha256_file",
]

_COPIED = 1 << 20
_NO_RENAME = {errno.EBUSY, errno.EXDEV, errno.EPERM, errno.EACCES}
"""Why a draft cannot take the place of an empty folder: it is a mount point, or its folder belongs to another user."""


_WRITTEN_ONCE: ContextVar[bool] = ContextVar("lstmlm_written_once", default=False)


@contextlib.contextmanager
def written_once() -> Iterator[None]:
    """Inside the block, what is published in a store has its files next to its manifest, as on a disk.

    For folders that nobody else will ever write, such as those of the artifacts of one execution: other programs, which
    do not know manifests, find the files there.
    """
    token = _WRITTEN_ONCE.set(True)
    try:
        yield
    finally:
        _WRITTEN_ONCE.reset(token)


@dataclasses.dataclass(slots=True)
class Draft:
    """A folder being written. Put files below `path` and facts into `facts`."""

    path: Path
    facts: dict[str, Any] = dataclasses.field(default_factory=dict)


def is_finished(folder: Path, kind: str, stamp: str) -> bool:
    """Says whether the folder already holds this very result; what its writer left around it is removed then.

    Raises:
        UserError: The folder holds something else.
    """
    if not _has_content(folder):
        return False
    if not _holds(folder, kind, stamp):
        raise _occupied(folder, kind)
    _tidy(folder)
    return True


def _tidy(folder: Path) -> None:
    """Removes what a writer left that died, or lost its power, right after it had published."""
    site = site_of(folder)
    if isinstance(folder, StorePath):  # a lease left behind expires, and `lstmlm sweep` removes it
        return
    with contextlib.suppress(OSError, UserError):  # somebody is at work, or nothing can be written here
        if site.hidden("lock").exists() or site.hidden_paths(PARTIAL):
            with locked_file(site.hidden("lock"), folder, patient=False):
                sweep(site)
        work = site.hidden("work")
        if work.is_dir():
            with locked(work):
                shutil.rmtree(work)


def _has_content(folder: Path) -> bool:
    return folder.is_file() or bool(content(folder))


def _holds(folder: Path, kind: str, stamp: str) -> bool:
    if not (folder / MANIFEST).is_file():
        return False
    found = read_manifest(folder)
    return found.kind == kind and found.fingerprint == stamp


def _occupied(folder: Path, kind: str) -> UserError:
    if folder.is_file():
        return UserError("the output is a folder, and this is a file", where=str(folder), hint="Name another folder")
    what = f"the output folder is not empty and does not hold this result ({kind})"
    return UserError(what, where=str(folder), hint="Name another folder or remove this one")


class Held(Protocol):
    """What says whether an output in a store is still this process's."""

    def check(self) -> None:
        """Raises `TryAgain` where another process took it over."""


@dataclasses.dataclass(frozen=True, slots=True)
class Claim:
    """An output folder that only this process writes.

    Attributes:
        folder: The folder, as it was named.
        site: Where it is made.
        kind: See `Manifest.kind`.
        stamp: The fingerprint of the inputs.
        lease: Of an output in a store: what says that no other process took it over.
    """

    folder: Path
    site: Site
    kind: str
    stamp: str
    lease: Held | None = None

    @contextlib.contextmanager
    def draft(self, *, copied: bool = False) -> Iterator[Draft]:
        """Yields a draft, then seals it and makes it the output folder.

        Args:
            copied: Of an output in a store: the draft is a folder of this machine, whose files are sent at the end, for
                libraries write them. Otherwise it is in the store.

        Raises:
            UserError: The disk is full, or somebody else put something into the folder meanwhile.
            TryAgain: Another process has published here, or took over the work.
        """
        if isinstance(self.folder, StorePath):
            with self._stored_draft(copied) as stored:
                yield stored
            return
        draft = Draft(self.site.hidden(draft_name()))
        try:
            draft.path.mkdir()
        except OSError as error:
            raise unwritable(error, self.folder) from error
        with full_disk_reported(self.folder):
            try:
                yield draft
                for left in draft.path.rglob(f".*.{PARTIAL}*"):  # of a worker that was killed, its work done again
                    left.unlink()
                _seal(draft, self.kind, self.stamp)
                self._put(draft.path)
            except BaseException:
                discard(draft.path, self.site)
                raise

    @contextlib.contextmanager
    def _stored_draft(self, copied: bool) -> Iterator[Draft]:
        """Yields the draft of an output in a store, then creates the manifest; see `draft`."""
        attempt = self.folder if _WRITTEN_ONCE.get() else self.folder / f"{ATTEMPT}{secrets.token_hex(8)}"
        asked = published = False
        try:
            with tempfile.TemporaryDirectory(prefix="lstmlm-draft-") if copied else contextlib.nullcontext() as here:
                draft = Draft(attempt if here is None else Path(here))
                yield draft
                if here is not None:
                    _send(draft.path, attempt)
            text = manifest_text(attempt, self.kind, self.stamp, draft.facts)
            if self.lease is not None:
                self.lease.check()
            manifest = self.folder / MANIFEST
            assert isinstance(manifest, StorePath)
            asked = True
            published = manifest.create(text.encode("utf-8"))
            asked = False
            if not published:
                what = "another process has published here meanwhile"
                raise TryAgain(what, where=str(self.folder), hint="Run again: the same result is not made twice")
        finally:
            if not published and not asked:  # asked without an answer: the manifest may be there, and names these files
                with contextlib.suppress(UserError, OSError):
                    remove_folder(attempt)

    def _put(self, draft: Path) -> None:
        """Makes a sealed draft the output folder."""
        if self.site.inside:
            _move_up(draft, self.site.folder)
            return
        _keep_mode(self.site.folder, draft)
        try:
            replace(draft, self.site.folder)  # replaces an empty folder too
        except OSError as error:
            if error.errno in _NO_RENAME and self.site.folder.is_dir() and not content(self.site.folder):
                inside = dataclasses.replace(self.site, inside=True)
                moved = inside.hidden(draft_name())
                shutil.copytree(draft, moved)
                sync_tree(moved)
                _move_up(moved, self.site.folder)
                shutil.rmtree(draft)
            elif error.errno in (errno.ENOTEMPTY, errno.EEXIST, errno.ENOTDIR):
                what = "something else was put into the output folder while this stage worked"
                raise UserError(what, where=str(self.folder), hint="Name another folder and run again") from error
            else:
                raise


@contextlib.contextmanager
def claimed(folder: Path, kind: str, stamp: str = "") -> Iterator[Claim]:
    """Holds an output folder: it can be written, it is free, nobody else writes it, and no leftovers are around it.

    For stages that work long before they publish; `publish` claims by itself.

    Args:
        folder: Where the result will appear; absent or empty. A mounted volume, or a link to a folder, is filled.
        kind: See `Manifest.kind`.
        stamp: The fingerprint of the inputs.

    Raises:
        UserError: The folder is not empty, cannot be written, or another process writes it.
    """
    site = site_of(folder)
    try:
        make_folders(site.folder.parent)
    except OSError as error:
        raise unwritable(error, folder) from error
    with locked_file(site.hidden("lock"), folder) as lease:
        if not isinstance(folder, StorePath):
            sweep(site)
        if _has_content(folder):
            if _holds(folder, kind, stamp):
                what = "another process has just written the same result here"
                raise TryAgain(what, where=str(folder), hint="Run again: there is nothing left to do")
            raise _occupied(folder, kind)
        yield Claim(folder, site, kind, stamp, lease)


@contextlib.contextmanager
def publish(folder: Path, kind: str, stamp: str = "", *, copied: bool = False) -> Iterator[Draft]:
    """Writes a folder atomically: yields a draft next to it, then seals and renames it. See `claimed`, `Claim.draft`.

    Raises:
        UserError: The folder is not empty, cannot be written, another process writes it, or the disk is full.
    """
    with claimed(folder, kind, stamp) as claim, claim.draft(copied=copied) as draft:
        yield draft


def _send(folder: Path, target: Path) -> None:
    """Copies the files of a folder into a store."""

    def send(name: Path) -> None:
        with (folder / name).open("rb") as source, (target / name.as_posix()).open("wb") as stream:
            shutil.copyfileobj(source, stream, _COPIED)

    names = [path.relative_to(folder) for path in sorted(folder.rglob("*")) if path.is_file()]
    with concurrent.futures.ThreadPoolExecutor(STREAMS) as threads:
        list(threads.map(send, names))


def _seal(draft: Draft, kind: str, stamp: str) -> None:
    """Writes the manifest of a draft; everything is on the disk afterwards."""
    text = manifest_text(draft.path, kind, stamp, draft.facts)
    partial = draft.path / f"{MANIFEST}.partial"
    partial.write_text(text, encoding="utf-8")
    sync_tree(draft.path)
    replace(partial, draft.path / MANIFEST)


def _move_up(draft: Path, folder: Path) -> None:
    """Moves what a sealed draft inside of its output holds into the output, the manifest last."""
    names = sorted(path.name for path in draft.iterdir() if path.name != MANIFEST)
    # So that the next writer knows what to remove, should this one die between two of the moves.
    with (draft / MOVING).open("wb") as stream:
        stream.write(json.dumps(names).encode())
        stream.flush()
        os.fsync(stream.fileno())
    sync_folder(draft)
    for name in names:
        os.replace(draft / name, folder / name)
    sync_folder(folder)
    replace(draft / MANIFEST, folder / MANIFEST)
    (draft / MOVING).unlink()
    draft.rmdir()


def _keep_mode(folder: Path, draft: Path) -> None:
    """Gives a draft the mode and group of the empty folder whose place it takes."""
    with contextlib.suppress(OSError):
        found = folder.stat()
        os.chmod(draft, stat.S_IMODE(found.st_mode))
        os.chown(draft, -1, found.st_gid)


@contextlib.contextmanager
def replacing(path: Path, *, durable: bool = False) -> Iterator[BinaryIO]:
    """Opens a file for writing under a name of this process's own; it takes its place when it is whole.

    A runner may give the work of a worker it lost to another while the first still writes: they must not mix.

    Args:
        path: The file.
        durable: Wait until it is on the disk. Files of a draft need it not: the whole draft is synced at its end.
    """
    if isinstance(path, StorePath):  # an object appears whole
        with path.open("wb") as stored:
            yield cast(BinaryIO, stored)
        return
    partial = path.with_name(f".{path.name}.{PARTIAL}{os.getpid()}-{secrets.token_hex(4)}")
    try:
        with partial.open("wb") as stream:
            yield stream
        if durable:
            sync_file(partial)
        os.replace(partial, path)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise
    if durable:
        sync_folder(path.parent)


@contextlib.contextmanager
def full_disk_reported(
    folder: Path, hint: str = "Free some and run again, or name a folder on another disk"
) -> Iterator[None]:
    """Turns whatever a full disk raises into one line.

    Args:
        folder: What is being written.
        hint: What to do then.

    Raises:
        UserError: The disk is full.
    """
    try:
        yield
    except Exception as error:
        if isinstance(error, UserError) or not is_no_space(error):
            raise
        raise UserError("no space left on the disk", where=str(folder), hint=hint) from error
