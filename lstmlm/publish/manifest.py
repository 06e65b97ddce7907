"""The manifest of a finished folder: its files, facts and fingerprint. It is written last."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from pathlib import Path, PurePosixPath
from typing import Any

from lstmlm.errors import UserError

MANIFEST = "manifest.json"
_LARGEST = 1 << 26
"""Bytes of a manifest; one of a hundred thousand files has a fifth of it."""


@dataclasses.dataclass(slots=True)
class Manifest:
    """What a finished folder holds.

    Attributes:
        kind: What the folder is: the `kind` of a row of `lstmlm.stages.table`, or `checkpoint`.
        fingerprint: Hash of everything the content was made from; the same fingerprint means the same bytes.
        files: For each file, relative to the folder: `bytes` and `sha256`.
        facts: Counts and other facts of this kind of folder (counts in, kept, dropped by reason, ...).
    """

    kind: str
    fingerprint: str
    files: dict[str, dict[str, Any]]
    facts: dict[str, Any]


def fingerprint(*parts: object) -> str:
    """Returns a sha256 over the parts (JSON-like values; keys are sorted)."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True, default=str).encode("utf-8")).hexdigest()


def sha256_file(path: Path) -> str:
    """Returns the sha256 of a file as hex."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def manifest_text(folder: Path, kind: str, stamp: str, facts: dict[str, Any]) -> str:
    """Returns the manifest of a folder, every file hashed, with a seal over the rest of it."""
    files = {
        path.relative_to(folder).as_posix(): {"bytes": path.stat().st_size, "sha256": sha256_file(path)}
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
    body = {"kind": kind, "fingerprint": stamp, "files": files, "facts": facts}
    return json.dumps(body | {"seal": _seal(body)}, indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def _seal(content: dict[str, Any]) -> str:
    # Over what a reader gets back from the JSON: keys that are numbers, for example, become text.
    return fingerprint(json.loads(json.dumps(content)))


def read_manifest(folder: Path, kind: str | None = None, *, verify: bool = False) -> Manifest:
    """Reads the manifest of a finished folder and checks that its files are there, whole.

    Args:
        folder: The folder.
        kind: The kind it must be, if it matters.
        verify: Compare every sha256, not only sizes.

    Raises:
        UserError: No manifest, one that is damaged, another kind, or a file that is missing or differs.
    """
    path = Path(folder) / MANIFEST
    if not path.is_file():
        hint = "Name the output folder of a finished stage, or run that stage again"
        raise UserError(f"no {MANIFEST} here, so this folder is not a finished result", where=str(folder), hint=hint)
    found = parse_manifest(path)
    if kind is not None and found.kind != kind:
        raise UserError(
            f"expected a folder of kind `{kind}`, found `{found.kind}`", where=str(folder), hint="Name another folder"
        )
    for name, facts in found.files.items():
        file = Path(folder) / name
        whole = file.is_file() and file.stat().st_size == facts["bytes"]
        if not whole or (verify and sha256_file(file) != facts["sha256"]):
            raise UserError("file is missing or does not match the manifest", where=str(file), hint=_again(folder))
    return found


def read_object(path: Path, *needed: str) -> dict[str, Any]:
    """Reads a JSON object of ours, such as `model.json`.

    Args:
        path: The file.
        needed: Keys that it must have.

    Raises:
        UserError: It is missing or damaged.
    """
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise UserError("missing or damaged", where=str(path), hint=_again(path.parent)) from error
    if not isinstance(found, dict) or not set(needed) <= found.keys():
        raise UserError("damaged: the content differs from what was written", where=str(path), hint=_again(path.parent))
    return found


def parse_manifest(path: Path) -> Manifest:
    """Reads a manifest as data that may be damaged or hostile; its files are not looked at.

    Raises:
        UserError: It is not as `manifest_text` writes it.
    """
    faulty = "not a manifest of lstmlm"
    try:
        if path.stat().st_size > _LARGEST:
            raise ValueError("too long")
        content = json.loads(path.read_text(encoding="utf-8"))
        seal = content.pop("seal", None)  # folders made before there were seals have none
        if seal is not None:
            faulty = "damaged: the content differs from what was written"
        found = Manifest(**content)
        if (seal is not None and seal != fingerprint(content)) or not _is_plain(found):
            raise ValueError("damaged")
    except (ValueError, TypeError, AttributeError, RecursionError) as error:
        raise UserError(faulty, where=str(path), hint=_again(path.parent)) from error
    return found


def _is_plain(found: Manifest) -> bool:
    """Says whether every part has its type, and every file is below the folder."""
    return (
        isinstance(found.kind, str)
        and isinstance(found.fingerprint, str)
        and isinstance(found.facts, dict)
        and isinstance(found.files, dict)
        and all(_is_inside(name) and _is_file_entry(facts) for name, facts in found.files.items())
        and (found.kind != "tokenizer" or type(found.facts.get("vocabulary")) is int)
    )


def _is_inside(name: str) -> bool:
    path = PurePosixPath(name)
    return bool(path.parts) and not path.is_absolute() and ".." not in path.parts and "\0" not in name


def _is_file_entry(facts: Any) -> bool:
    return isinstance(facts, dict) and type(facts.get("bytes")) is int and isinstance(facts.get("sha256"), str)


def _again(folder: Path) -> str:
    return f"Remove the folder {folder} and run the stage that made it again"
