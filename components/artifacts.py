"""Artifacts and their types; the Kubeflow compiler accepts types of our own as long as they have no PROPERTIES.

TFX's steps on Kubeflow import a type by its name, so each name is a path that can be imported (`components.Tokenizer`).
"""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

from tfx import types
from tfx.types import artifact, standard_artifacts, system_artifacts

from lstmlm.errors import UserError
from lstmlm.storage import StorePath, place


class Tokenizer(artifact.Artifact):
    """A folder of the kind `tokenizer`: a SentencePiece model, or a given `tokenizer.json`."""

    TYPE_NAME = "components.Tokenizer"


class TrainingRun(artifact.Artifact):
    """A folder of the kind `model`: weights, the model's description, metrics by step."""

    TYPE_NAME = "components.TrainingRun"
    TYPE_ANNOTATION = system_artifacts.Model


class Evaluation(artifact.Artifact):
    """A folder of the kind `evaluation`: `metrics.json`."""

    TYPE_NAME = "components.Evaluation"
    TYPE_ANNOTATION = system_artifacts.Metrics


class Predictions(artifact.Artifact):
    """A folder of the kind `predictions`: shards (JSON lines, parquet or TFRecord) and dead letters."""

    TYPE_NAME = "components.Predictions"


class Folder(artifact.Artifact):
    """A folder of any other kind, which its manifest names."""

    TYPE_NAME = "components.Folder"


def artifact_type(name: str) -> type[artifact.Artifact]:
    """Returns a type by its name in the table of stages: one of this module, or a standard one of TFX."""
    found: type[artifact.Artifact] = globals().get(name) or getattr(standard_artifacts, name)
    return found


def only(artifacts: list[types.Artifact]) -> types.Artifact:
    """Returns the one artifact of a channel."""
    if len(artifacts) != 1:
        raise ValueError(f"one artifact expected, got {len(artifacts)}: {[found.uri for found in artifacts]}")
    return artifacts[0]


def folder(found: types.Artifact) -> Path:
    """Returns the folder of an artifact.

    Raises:
        UserError: The artifact is somewhere that the stages cannot read.
    """
    stored = place(found.uri)
    if isinstance(stored, StorePath):
        return stored
    parts = urlsplit(found.uri)
    if parts.scheme not in ("", "file"):
        hint = "Use a folder, or a URL of s3:// or gs://, as the pipeline root"
        raise UserError(f"artifacts in {parts.scheme}:// are not supported", where=found.uri, hint=hint)
    return Path(parts.path if parts.scheme else found.uri)
