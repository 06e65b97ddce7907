"""`onnx`: onnxruntime on processors, in float32 or int8."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lstmlm.inference.model.backend_kind import BackendKind

if TYPE_CHECKING:
    import onnx

    from lstmlm.decoding.backend import Backend
    from lstmlm.recipe.sections.decoding import DecodingSection
    from lstmlm.task import Task


class Onnx(BackendKind):
    """See `lstmlm.decoding.onnx`."""

    precisions = ("float32", "int8")

    def load(
        self, folder: Path, facts: Mapping[str, Any], decoding: DecodingSection, threads: int, task: Task
    ) -> Backend:
        """See `BackendKind`."""
        from lstmlm.decoding.onnx.backend import OnnxBackend

        int8 = decoding.precision == "int8"
        scorer = None if task.has_targets else functools.partial(_scorer, folder, facts, int8=int8)
        return OnnxBackend.load(folder, int8=int8, threads=threads, scorer=scorer)


def _scorer(folder: Path, facts: Mapping[str, Any], *, int8: bool) -> onnx.ModelProto:
    """Returns the graph that scores texts of a language model."""
    import numpy as np

    from lstmlm.decoding.onnx import language_model
    from lstmlm.models.weights import read_arrays
    from lstmlm.recipe.sections.model import ModelSection

    clusters = ModelSection.model_validate(facts["model"]).clusters(int(facts["vocabulary"]))
    weights = {name: np.asarray(array, np.float32) for name, array in read_arrays(folder / "weights.npz").items()}
    return language_model.scorer(weights, clusters, int8=int8)


BACKEND = Onnx()
