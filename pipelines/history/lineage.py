"""Finds what made an artifact, and what made that, back to the corpus."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Sequence
from pathlib import Path

from lstmlm.errors import UserError
from lstmlm.publish.manifest import read_manifest
from pipelines.history.store import Execution, History, home_of


@dataclasses.dataclass(frozen=True, slots=True)
class Origin:
    """An artifact, and what made it.

    Attributes:
        artifact: Its folder.
        kind: What its manifest says it is; empty: it has none, or is gone.
        fingerprint: Of all that decides its content, from its manifest.
        made: The execution; None: ML Metadata has none.
        inputs: What it was made of, each with the name that the execution calls it by.
    """

    artifact: Path
    kind: str
    fingerprint: str
    made: Execution | None
    inputs: Sequence[tuple[str, Origin]]


def lineage(artifact: Path) -> Origin:
    """Returns what made an artifact.

    Args:
        artifact: Its folder, or a file in it.

    Raises:
        UserError: It is in no run folder, or ML Metadata does not know it.
    """
    artifact = artifact.absolute()
    history = History(home_of(artifact))
    for place in (artifact, *artifact.parents):
        if history.maker(place) is not None:
            return _origin(history, place, {})
        if place == history.folder:
            break
    hint = "Name a folder that a stage published, as `lstmlm run` prints them"
    raise UserError("ML Metadata does not know what made this", where=str(artifact), hint=hint)


def _origin(history: History, artifact: Path, known: dict[Path, Origin]) -> Origin:
    """Returns the origin of an artifact; `known` are those that were found: many are made of the same records."""
    if artifact in known:
        return known[artifact]
    made = history.maker(artifact)
    published = made.published if made else None
    inside = published if published is not None and published.is_relative_to(artifact) else artifact
    kind = fingerprint = ""
    with contextlib.suppress(UserError):  # TFX's own have no manifest
        manifest = read_manifest(inside)
        kind, fingerprint = manifest.kind, manifest.fingerprint
    inputs = made.inputs.items() if made else ()
    origins = [(name, _origin(history, path, known)) for name, paths in inputs for path in paths]
    known[artifact] = Origin(artifact, kind, fingerprint, made, origins)
    return known[artifact]
