"""The output of a model that copies source tokens, as ONNX: see `lstmlm.models.pointer`."""

from __future__ import annotations

import numpy as np
import onnx

from lstmlm.decoding.onnx.graph import GraphWriter, value
from lstmlm.decoding.onnx.layers import SOFTMAX_BIAS, Weights

POINTER = "pointer/kernel"
"""A weight that a model which copies has."""

_LEAST = 1e-12  # as `lstmlm.models.pointer`


def add_copying_softmax(graph: GraphWriter, weights: Weights, vector: str, attention: str) -> onnx.ValueInfoProto:
    """Adds log p of every token as the output `logits`; the graph has an input `source`, int64 [records, time].

    The gate is computed in float32 in an int8 graph too: it is one number a row, and decides much.

    Args:
        graph: The graph being written.
        weights: The network's.
        vector: Attentional vectors, float32 [rows, width], within -1 and 1.
        attention: float32 [rows, time].
    """
    table, bias = weights["embedding/table"], weights["embedding/bias"]
    gate = graph.apply("Gemm", vector, graph.weight(weights[POINTER]), graph.weight(weights["pointer/bias"]))
    predicted = graph.apply("Softmax", graph.product(vector, table.T, bias), axis=1)
    predicted = graph.apply("Mul", predicted, graph.apply("Sigmoid", gate))
    copied = graph.apply("Mul", attention, graph.apply("Sigmoid", graph.apply("Neg", gate)))
    # Padding has no attention, so what is behind a source may be added to any token.
    mixed = graph.apply(
        "ScatterElements", predicted, _sources(graph, attention), copied, axis=1, reduction="add"
    )  # fmt: skip
    logs = graph.apply("Log", graph.apply("Max", mixed, graph.weight(np.float32(_LEAST))))
    # The heads rule padding out by this constant, after the mixture as the model itself does.
    shift = graph.weight(np.zeros(len(table), np.float32), SOFTMAX_BIAS)
    graph.rename(graph.apply("Add", logs, shift), "logits")
    return value("logits", np.float32, "rows", len(table))


def _sources(graph: GraphWriter, attention: str) -> str:
    """Adds the source of every row, int64 [rows, time]: hypotheses of a record share its own."""
    records = graph.apply("Shape", "source")
    grouped = graph.apply("Concat", graph.apply("Gather", records, graph.integers(0)), graph.integers(-1), axis=0)
    grouped = graph.apply("Concat", grouped, graph.apply("Gather", records, graph.integers(1)), axis=0)
    # [records, hypotheses, time]: only its shape is wanted.
    shape = graph.apply("Shape", graph.apply("Reshape", attention, grouped))
    repeated = graph.apply("Expand", graph.apply("Unsqueeze", "source", graph.integers(1)), shape)
    return graph.apply("Reshape", repeated, graph.apply("Shape", attention))
