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
        key: What the execution that reads it calls it; empty for the artifact that was asked for.
        inputs: What it was made of.
    """

    artifact: Path
    kind: str
    fingerprint: str
    made: Execution | None
    key: str
    inputs: Sequence[Origin]


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
            return _origin(history, place, "")
        if place == history.folder:
            break
    hint = "Name a folder that a stage published, as `lstmlm run` prints them"
    raise UserError("ML Metadata does not know what made this", where=str(artifact), hint=hint)


def _origin(history: History, artifact: Path, key: str) -> Origin:
    made = history.maker(artifact)
    kind = fingerprint = ""
    with contextlib.suppress(UserError):
        manifest = read_manifest(history.published(artifact))
        kind, fingerprint = manifest.kind, manifest.fingerprint
    inputs = made.inputs.items() if made else ()
    origins = [_origin(history, path, name) for name, paths in inputs for path in paths]
    return Origin(artifact, kind, fingerprint, made, key, origins)
