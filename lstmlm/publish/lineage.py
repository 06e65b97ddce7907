"""The models that a result descends from: a student's manifests name its teacher, from its corpus to its export."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from lstmlm.publish.manifest import MANIFEST, Manifest, read_manifest

LINEAGE = "lineage"
"""Key of the facts of a manifest: what a model took part in making it, by its part -> fingerprint."""

CORPUS = "corpus"
"""Kind of a folder with a corpus that a model wrote."""


def inherited(*made_from: Manifest) -> dict[str, Any]:
    """Returns, as facts of a result, the lineage of what it was made from; nothing where that has none."""
    found = {name: value for one in made_from for name, value in one.facts.get(LINEAGE, {}).items()}
    return {LINEAGE: found} if found else {}


def corpus_lineage(root: Path | str) -> dict[str, Any]:
    """Returns, as facts of the records, the lineage of the corpus in a folder; nothing for any other corpus.

    Raises:
        UserError: The corpus is damaged.
    """
    if not isinstance(root, Path) or not (root / MANIFEST).is_file():
        return {}
    found = read_manifest(root)
    return inherited(found) if found.kind == CORPUS else {}
