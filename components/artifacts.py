"""Artifact types of this project; the Kubeflow compiler accepts them as long as they have no PROPERTIES."""

from __future__ import annotations

from tfx.types import artifact, system_artifacts


class Tokenizer(artifact.Artifact):
    """A folder of the kind `tokenizer`: a SentencePiece model."""

    TYPE_NAME = "lstmlm.Tokenizer"


class TrainingRun(artifact.Artifact):
    """A folder of the kind `model`: weights, the model's description, metrics by step."""

    TYPE_NAME = "lstmlm.TrainingRun"
    TYPE_ANNOTATION = system_artifacts.Model


class Evaluation(artifact.Artifact):
    """A folder of the kind `evaluation`: `metrics.json`."""

    TYPE_NAME = "lstmlm.Evaluation"
    TYPE_ANNOTATION = system_artifacts.Metrics


class Predictions(artifact.Artifact):
    """A folder of the kind `predictions`: JSONL shards and dead letters."""

    TYPE_NAME = "lstmlm.Predictions"
