"""LSTM language models: from raw text to trained, evaluated and published models, and decoded text.

This is the Python interface; docs/python.md describes it. `import lstmlm` is light: TensorFlow, Beam, Ray and
onnxruntime are imported by the call that needs them.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from lstmlm.errors import BelowThreshold, TryAgain, UserError

if TYPE_CHECKING:
    from lstmlm.api.data import read_examples, read_records
    from lstmlm.api.inputs import Constrained
    from lstmlm.api.load import load
    from lstmlm.api.model import Model
    from lstmlm.api.outputs import (
        Answered,
        Attended,
        Candidate,
        Classified,
        Failed,
        Generated,
        LabelledSpan,
        Scored,
        SpokenWord,
        TokenScore,
        Transcribed,
    )
    from lstmlm.api.runs import TrainedModel, run, train
    from lstmlm.recipe.file import load_recipe
    from lstmlm.recipe.recipe import Recipe

__version__ = "0.1.0"

_HOMES = {
    "Answered": "lstmlm.api.outputs",
    "Attended": "lstmlm.api.outputs",
    "Candidate": "lstmlm.api.outputs",
    "Classified": "lstmlm.api.outputs",
    "Constrained": "lstmlm.api.inputs",
    "Failed": "lstmlm.api.outputs",
    "Generated": "lstmlm.api.outputs",
    "LabelledSpan": "lstmlm.api.outputs",
    "Model": "lstmlm.api.model",
    "Recipe": "lstmlm.recipe.recipe",
    "Scored": "lstmlm.api.outputs",
    "SpokenWord": "lstmlm.api.outputs",
    "TokenScore": "lstmlm.api.outputs",
    "TrainedModel": "lstmlm.api.runs",
    "Transcribed": "lstmlm.api.outputs",
    "load": "lstmlm.api.load",
    "load_recipe": "lstmlm.recipe.file",
    "read_examples": "lstmlm.api.data",
    "read_records": "lstmlm.api.data",
    "run": "lstmlm.api.runs",
    "train": "lstmlm.api.runs",
}
"""Name -> the module that it is imported from when it is first used (PEP 562)."""

__all__ = [
    "Answered",
    "Attended",
    "BelowThreshold",
    "Candidate",
    "Classified",
    "Constrained",
    "Failed",
    "Generated",
    "LabelledSpan",
    "Model",
    "Recipe",
    "Scored",
    "SpokenWord",
    "TokenScore",
    "TrainedModel",
    "Transcribed",
    "TryAgain",
    "UserError",
    "__version__",
    "load",
    "load_recipe",
    "read_examples",
    "read_records",
    "run",
    "train",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'lstmlm' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return __all__
