"""Writes the outputs of a finished chunk, then a facts file that marks it as done; both are synced to disk.

What a later job finds of an interrupted one is checked: a chunk whose files are damaged is decoded again.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson

from lstmlm.publish.durable import sync_file
from lstmlm.publish.folder import fingerprint, replacing, sha256_file

_PART, _SEAL = "part", "seal"


def finish_chunk(part: Path, path: Path, facts: dict[str, Any]) -> None:
    """Writes the facts of a chunk whose outputs are written.

    Args:
        part: The file of its outputs; absent where all of it are dead letters.
        path: Where the facts go.
        facts: See `lstmlm.inference.job.chunk_facts`.
    """
    written = part.is_file()
    if written:
        sync_file(part)
    whole = facts | {_PART: sha256_file(part) if written else None}
    with replacing(path, durable=True) as stream:
        stream.write(orjson.dumps(whole | {_SEAL: fingerprint(whole)}))


def is_whole(part: Path, path: Path) -> bool:
    """Says whether the facts and the outputs of a chunk are as they were written."""
    try:
        facts = orjson.loads(path.read_bytes())
        seal = facts.pop(_SEAL)
        if seal != fingerprint(facts) or (facts[_PART] is None) == bool(facts["outputs"]):
            return False
        return facts[_PART] is None or sha256_file(part) == facts[_PART]
    except (OSError, ValueError, KeyError, AttributeError, TypeError):
        return False
