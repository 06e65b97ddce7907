"""Folders that exist whole or not at all: written under a temporary name, sealed by a manifest, then renamed.

Readers refuse a folder without `manifest.json`, so a crash at any moment leaves nothing that looks finished.
"""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

from lstmlm.errors import UserError, is_no_space

MANIFEST = "manifest.json"
PARTIAL = ".partial-"


@dataclasses.dataclass(slots=True)
class Manifest:
    """What a finished folder holds.

    Attributes:
        kind: What the folder is: records, tokenizer, examples, model, export, evaluation, predictions.
        fingerprint: Hash of everything the content was made from; the same fingerprint means the same bytes.
        files: For each file, relative to the folder: `bytes` and `sha256`.
        facts: Counts and other facts of this kind of folder (counts in, kept, dropped by reason, ...).
    """

    kind: str
    fingerprint: str
    files: dict[str, dict[str, Any]]
    facts: dict[str, Any]


@dataclasses.dataclass(slots=True)
class Draft:
    """A folder being written. Put files below `path` and facts into `facts`."""

    path: Path
    facts: dict[str, Any] = dataclasses.field(default_factory=dict)


def fingerprint(*parts: object) -> str:
    """Returns a sha256 over the parts (JSON-like values; keys are sorted)."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True, default=str).encode("utf-8")).hexdigest()


def sha256_file(path: Path) -> str:
    """Returns the sha256 of a file as hex."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def is_finished(folder: Path, kind: str, stamp: str) -> bool:
    """Says whether the folder already holds this very result.

    Raises:
        UserError: The folder holds something else.
    """
    if not _has_content(folder):
        return False
    if (folder / MANIFEST).is_file():
        found = read_manifest(folder)
        if found.kind == kind and found.fingerprint == stamp:
            return True
    raise _occupied(folder, kind)


def _has_content(folder: Path) -> bool:
    return folder.is_file() or (folder.is_dir() and any(folder.iterdir()))


def _occupied(folder: Path, kind: str) -> UserError:
    what = f"the output folder is not empty and does not hold this result ({kind})"
    return UserError(what, where=str(folder), cure="Name another folder or remove this one")


@contextlib.contextmanager
def publish(folder: Path, kind: str, stamp: str = "") -> Iterator[Draft]:
    """Writes a folder atomically: yields a draft beside it, then seals and renames it.

    Args:
        folder: Where the result shall appear; absent or empty.
        kind: See `Manifest.kind`.
        stamp: The fingerprint of the inputs.

    Raises:
        UserError: The folder exists and is not empty, or the disk is full.
    """
    if _has_content(folder):
        raise _occupied(folder, kind)
    folder.parent.mkdir(parents=True, exist_ok=True)
    draft = Draft(folder.parent / f".{folder.name}.partial-{os.getpid()}")
    shutil.rmtree(draft.path, ignore_errors=True)
    draft.path.mkdir()
    with space_told(folder):
        try:
            yield draft
            for left in draft.path.rglob(f".*{PARTIAL}*"):  # of a worker that was killed, and its work done by another
                left.unlink()
            write_manifest(draft, kind, stamp)
            os.replace(draft.path, folder)  # replaces an empty folder too
        except BaseException:
            shutil.rmtree(draft.path, ignore_errors=True)
            raise


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """Opens a file for writing under a name of this process's own; it takes its place when it is whole.

    A runner may give the work of a worker it lost to another while the first still writes: they must not mix.
    """
    partial = path.with_name(f".{path.name}{PARTIAL}{os.getpid()}")
    with partial.open("wb") as stream:
        yield stream
    os.replace(partial, path)


@contextlib.contextmanager
def space_told(folder: Path, cure: str = "Free some and run again, or name a folder on another disk") -> Iterator[None]:
    """Turns whatever a full disk raises into one line.

    Args:
        folder: What is being written.
        cure: What to do then.

    Raises:
        UserError: The disk is full.
    """
    try:
        yield
    except Exception as error:
        if isinstance(error, UserError) or not is_no_space(error):
            raise
        raise UserError("no space left on the disk", where=str(folder), cure=cure) from error


def write_manifest(draft: Draft, kind: str, stamp: str) -> None:
    """Hashes every file of the draft and writes its manifest, the last file to appear."""
    files = {
        str(path.relative_to(draft.path)): {"bytes": path.stat().st_size, "sha256": sha256_file(path)}
        for path in sorted(draft.path.rglob("*"))
        if path.is_file()
    }
    content = {"kind": kind, "fingerprint": stamp, "files": files, "facts": draft.facts}
    partial = draft.path / (MANIFEST + ".partial")
    partial.write_text(json.dumps(content, indent=1, sort_keys=True, ensure_ascii=False) + "\n", encoding="utf-8")
    os.replace(partial, draft.path / MANIFEST)


def read_manifest(folder: Path, kind: str | None = None, *, verify: bool = False) -> Manifest:
    """Reads the manifest of a finished folder and checks that its files are there, whole.

    Args:
        folder: The folder.
        kind: The kind it must be, if it matters.
        verify: Compare every sha256, not sizes alone.

    Raises:
        UserError: No manifest, another kind, or a file that is missing or differs.
    """
    path = Path(folder) / MANIFEST
    if not path.is_file():
        cure = "Name the output folder of a finished stage, or run that stage again"
        raise UserError(f"no {MANIFEST} here, so this folder is not a finished result", where=str(folder), cure=cure)
    try:
        found = Manifest(**json.loads(path.read_text(encoding="utf-8")))
    except (ValueError, TypeError) as error:
        raise UserError("not a manifest of lstmlm", where=str(path), cure="Run the stage again") from error
    if kind is not None and found.kind != kind:
        raise UserError(f"holds {found.kind}, and {kind} is needed", where=str(folder), cure="Name another folder")
    for name, facts in found.files.items():
        file = Path(folder) / name
        whole = file.is_file() and file.stat().st_size == facts["bytes"]
        if not whole or (verify and sha256_file(file) != facts["sha256"]):
            raise UserError("missing, or not as the manifest says", where=str(file), cure="Run the stage again")
    return found
