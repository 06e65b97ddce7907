"""Recognises what this project wrote itself, so that outputs below the corpus folder are not read as corpus."""

from __future__ import annotations

import json
from pathlib import Path

from lstmlm.corpus.reading.openers import read_bytes
from lstmlm.publish.manifest import MANIFEST
from lstmlm.publish.places import RUN_ARTIFACTS, RUN_STORE

OWN_OUTPUT = "own_output"
DOCUMENTS = "documents-"
"""How the names of cleaned documents begin, the one output that is a corpus again."""

ACCOUNTS = frozenset(
    {MANIFEST, "report.json", "report.html", "dead_letters.jsonl", "exclusions.jsonl.gz", "metrics.jsonl"}
)
"""Files of a finished folder that are no data, also where the folder itself is named as a corpus."""

_KEYS = {"kind", "fingerprint", "files", "facts"}
_MOST_BYTES = 1 << 26


def is_manifest(path: str, size: int) -> bool:
    """Says whether a file is the manifest of a finished folder of this project.

    Raises:
        UserError: It cannot be read.
    """
    if size > _MOST_BYTES:
        return False
    try:
        found = json.loads(b"".join(read_bytes(path, 0, size)))
    except (ValueError, RecursionError):
        return False
    return isinstance(found, dict) and found.keys() >= _KEYS


def is_own_folder(folder: Path) -> bool:
    """Says whether a folder is a finished output, the folder of a run, or one of checkpoints."""
    manifest = folder / MANIFEST
    if manifest.is_file():
        return is_manifest(str(manifest), manifest.stat().st_size)
    if (folder / RUN_STORE).is_file() and (folder / RUN_ARTIFACTS).is_dir():
        return True
    return folder.name == "checkpoints" and any(folder.glob("*/recipe.json"))
