"""A bounded cache, on this machine, of finished folders in a store that libraries need as files: models, vocabularies.

Folders are found by what is in them, so two URLs with the same export share one copy. Data are streamed, never cached.
"""

from __future__ import annotations

import contextlib
import hashlib
import logging
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from lstmlm.errors import UserError
from lstmlm.publish.folder import fingerprint, is_finished, publish, read_manifest
from lstmlm.publish.locks import locked
from lstmlm.publish.manifest import MANIFEST, Manifest, content_folder
from lstmlm.storage import StorePath, place
from lstmlm.storage.check import check_writable
from lstmlm.storage.many import each

_MOST_BYTES = 20 << 30
_WAIT = 1800.0
_COPIED = 1 << 20
_LOG = logging.getLogger(__name__)


def cache_folder() -> Path:
    """Returns where files of other machines are kept: `$LSTMLM_CACHE`, else `lstmlm` in the user's cache folder."""
    named = os.environ.get("LSTMLM_CACHE")
    return Path(named) if named else Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "lstmlm"


def cache_bytes() -> int:
    """Returns how much the cache may hold: `$LSTMLM_CACHE_BYTES`, else 20 GB.

    Raises:
        UserError: The variable is not a number of bytes.
    """
    named = os.environ.get("LSTMLM_CACHE_BYTES", "").strip()
    if named and not named.isdigit():
        raise UserError(
            f"{named!r} is not a number of bytes", where="LSTMLM_CACHE_BYTES", hint="Write it as 20000000000"
        )
    return int(named) if named else _MOST_BYTES


def output_place(output: Path | str) -> Path:
    """Returns where an output is published, which can be written if it is in a store: what is wrong is reported early.

    Raises:
        UserError: See `lstmlm.storage.check.check_writable`.
    """
    found = place(output)
    check_writable(found)
    return found


def local_copy(folder: Path | str) -> Path:
    """Returns a finished folder as one of this machine: itself, or a copy whose files have the sums of the manifest.

    Raises:
        UserError: It is not finished, or a file differs from the manifest.
    """
    folder = place(folder)
    if not isinstance(folder, StorePath):
        return folder
    manifest = read_manifest(folder)
    digest = fingerprint(manifest.kind, manifest.fingerprint, manifest.files)
    copies = cache_folder() / "folders"
    copy = copies / digest
    with locked(cache_folder() / "locks" / digest, wait=_WAIT):  # the workers of a machine need it at the same time
        if not is_finished(copy, manifest.kind, manifest.fingerprint):
            _make_room(copies, sum(int(facts["bytes"]) for facts in manifest.files.values()))
            with publish(copy, manifest.kind, manifest.fingerprint) as draft:
                draft.facts = manifest.facts
                _copy_whole(folder, manifest, draft.path)
        os.utime(copy / MANIFEST)  # when it was last used
    return copy


@contextlib.contextmanager
def whole_copy(folder: Path, kind: str) -> Iterator[tuple[Manifest, Path]]:
    """Yields the manifest of a finished folder, and the folder on this machine, every file compared with the manifest.

    A copy of one in a store is gone afterwards.

    Args:
        folder: The folder.
        kind: The kind it must be.

    Raises:
        UserError: It is not finished, of another kind, or a file differs from the manifest.
    """
    if not isinstance(folder, StorePath):
        yield read_manifest(folder, kind, verify=True), folder
        return
    manifest = read_manifest(folder, kind)
    with tempfile.TemporaryDirectory(prefix="lstmlm-copy-") as copy:
        _copy_whole(folder, manifest, Path(copy))
        yield manifest, Path(copy)


def _copy_whole(folder: StorePath, manifest: Manifest, target: Path) -> None:
    """Copies the files of a finished folder.

    Raises:
        UserError: One differs from the manifest.
    """
    source = content_folder(folder, manifest)
    sums = each(lambda path: _copied(path, target, source), [source / name for name in manifest.files])
    for name, found in zip(manifest.files, sums, strict=True):
        if found != manifest.files[name]["sha256"]:
            hint = "Copy the folder there again"
            raise UserError("differs from the manifest", where=f"{source}/{name}", hint=hint)


def _copied(source: Path, folder: Path, base: Path) -> str:
    """Copies an object into a folder, and returns the sha256 of what was read."""
    target, digest = folder / source.relative_to(base).as_posix(), hashlib.sha256()
    target.parent.mkdir(parents=True, exist_ok=True)
    with source.open("rb") as stream, target.open("wb") as copy:
        while chunk := stream.read(_COPIED):
            digest.update(chunk)
            copy.write(chunk)
    return digest.hexdigest()


def _make_room(copies: Path, needed: int) -> None:
    """Removes the copies that were used longest ago, until one of so many bytes fits."""
    found = [path for path in copies.iterdir() if (path / MANIFEST).is_file()] if copies.is_dir() else []
    found.sort(key=lambda path: (path / MANIFEST).stat().st_mtime, reverse=True)
    room = cache_bytes() - needed
    for copy in found:
        room -= sum(file.stat().st_size for file in copy.rglob("*") if file.is_file())
        if room < 0:
            _LOG.info("%s: removed from the cache", copy)
            shutil.rmtree(copy, ignore_errors=True)
