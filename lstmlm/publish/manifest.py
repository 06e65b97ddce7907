"""The manifest of a finished folder: its files, facts and fingerprint. It is written last."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import re
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath
from typing import Any

from lstmlm.errors import UserError
from lstmlm.storage import StorePath
from lstmlm.storage.many import each
from lstmlm.storage.streams import take_sum

MANIFEST = "manifest.json"
ATTEMPT = "attempt-"
"""In a store, where nothing can be renamed: how the folder begins that has the files which a manifest names."""
_ATTEMPT = re.compile(rf"{ATTEMPT}[0-9a-f]{{16}}")
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
        attempt: In a store, the folder with the files, below that of the manifest; empty: they are next to it.
    """

    kind: str
    fingerprint: str
    files: dict[str, dict[str, Any]]
    facts: dict[str, Any]
    attempt: str = ""


def fingerprint(*parts: object) -> str:
    """Returns a sha256 over the parts (JSON-like values; keys are sorted)."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True, default=str).encode("utf-8")).hexdigest()


def sha256_file(path: Path) -> str:
    """Returns the sha256 of a file as hex."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def manifest_text(folder: Path, kind: str, stamp: str, facts: dict[str, Any]) -> str:
    """Returns the manifest of a folder, every file hashed, with a seal over the rest of it.

    Of a folder in a store the name is a part of it: see `Manifest.attempt`.
    """
    body: dict[str, Any] = {"kind": kind, "fingerprint": stamp, "facts": facts}
    if isinstance(folder, StorePath):
        found = folder.below()
        sums = {name: take_sum(str(folder / name), one["size"]) for name, one in found.items()}
        others = _sums(folder / name for name, known in sums.items() if known is None)  # of other processes: read
        body["files"] = {
            name: {"bytes": one["size"], "sha256": sums[name] or others[folder / name]} for name, one in found.items()
        }
        body["attempt"] = folder.name if folder.name.startswith(ATTEMPT) else ""
    else:
        body["files"] = {
            path.relative_to(folder).as_posix(): {"bytes": path.stat().st_size, "sha256": sha256_file(path)}
            for path in sorted(folder.rglob("*"))
            if path.is_file()
        }
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
    path = folder / MANIFEST if isinstance(folder, StorePath) else Path(folder) / MANIFEST
    hint = "Name the output folder of a finished stage, or run that stage again"
    missing = UserError(f"no {MANIFEST} here, so this folder is not a finished result", where=str(folder), hint=hint)
    if not isinstance(path, StorePath) and not path.is_file():
        raise missing
    try:
        found = parse_manifest(path)
    except FileNotFoundError as error:
        raise missing from error
    if kind is not None and found.kind != kind:
        raise UserError(
            f"expected a folder of kind `{kind}`, found `{found.kind}`", where=str(folder), hint="Name another folder"
        )
    for name in _differing(content_folder(folder, found), found, verify):
        file = content_folder(folder, found) / name
        raise UserError("file is missing or does not match the manifest", where=str(file), hint=_again(folder))
    return found


def _differing(folder: Path, manifest: Manifest, verify: bool) -> Iterator[str]:
    """Yields the files of a manifest that are not there as it says."""
    if isinstance(folder, StorePath):
        sizes = {name: one["size"] for name, one in folder.below().items()}
        yield from (name for name, facts in manifest.files.items() if sizes.get(name) != facts["bytes"])
        sums = _sums(folder / name for name in manifest.files) if verify else {}
        yield from (name for name in manifest.files if verify and sums[folder / name] != manifest.files[name]["sha256"])
        return
    for name, facts in manifest.files.items():
        file = folder / name
        whole = file.is_file() and file.stat().st_size == facts["bytes"]
        if not whole or (verify and sha256_file(file) != facts["sha256"]):
            yield name


def content_folder(folder: Path, manifest: Manifest | None = None) -> Path:
    """Returns the folder with the files of a finished result: in a store, that of the attempt that its manifest names.

    Args:
        folder: The finished folder.
        manifest: Its manifest; absent: it is read.
    """
    if not isinstance(folder, StorePath):
        return Path(folder)
    manifest = manifest or parse_manifest(folder / MANIFEST)
    return folder / manifest.attempt if manifest.attempt else folder


def _sums(paths: Iterable[Path]) -> dict[Path, str]:
    """Returns the sha256 of files."""
    asked = list(paths)
    return dict(zip(asked, each(sha256_file, asked), strict=True))


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
        # One request in a store, where it was created whole.
        data = path.read_bytes() if isinstance(path, StorePath) or path.stat().st_size <= _LARGEST else b""
        if not 0 < len(data) <= _LARGEST:
            raise ValueError("too long, or empty")
        content = json.loads(data.decode("utf-8"))
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
        and (found.attempt == "" or (type(found.attempt) is str and _ATTEMPT.fullmatch(found.attempt) is not None))
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
