"""The LSTM layers of a trained network as ONNX: one step of a stack, and a stack or encoder over a whole text."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import onnx

from lstmlm.decoding.onnx.graph import Floats, GraphWriter, value

SOFTMAX_BIAS = "softmax_bias"
"""Name of the constant that the logits are shifted by."""

Weights = Mapping[str, Floats]
"""Arrays by the names of `Autoregressive.named_variables`."""


def states(prefix: str, layers: int) -> list[str]:
    """Returns the names of the states of a stack: h and C of each layer."""
    return [f"{prefix}{part}_{n}" for n in range(layers) for part in ("h", "c")]


def state_values(names: Iterable[str], units: int, rows: str) -> list[onnx.ValueInfoProto]:
    """Describes states as float32 [rows, units]."""
    return [value(name, np.float32, rows, units) for name in names]


def count_layers(weights: Weights, name: str, way: str = "") -> int:
    """Returns how many layers `name_0`, `name_1`, ... there are; `way` follows the number, such as `_forward`."""
    layers = 0
    while f"{name}_{layers}{way}/recurrent" in weights:
        layers += 1
    return layers


def layer_step(graph: GraphWriter, weights: Weights, name: str, gates: str, h: str, c: str) -> tuple[str, str]:
    """Adds one step of a layer whose input product is known; returns h and C after it."""
    recurrent = weights[f"{name}/recurrent"]
    units = recurrent.shape[0]
    product = graph.product(h, recurrent)
    return graph.cell(graph.apply("Add", gates, product), c, units)


def stack_step(graph: GraphWriter, weights: Weights, name: str, gates: str, before: Sequence[str]) -> list[str]:
    """Adds one step of all layers of a stack.

    Args:
        graph: The graph being written.
        weights: The network's.
        name: The layers are `name_0`, `name_1`, ...
        gates: Input product of the first layer, float32 [rows, 4 * units].
        before: Names of the states before: h and C of each layer.

    Returns:
        Names of the states after.
    """
    after: list[str] = []
    for n, (h, c) in enumerate(zip(before[::2], before[1::2], strict=True)):
        layer = f"{name}_{n}"
        if n:  # fed by the layer below
            gates = graph.product(after[-2], weights[f"{layer}/kernel"], weights[f"{layer}/bias"])
        after += layer_step(graph, weights, layer, gates, h, c)
    return after


def zero_states(graph: GraphWriter, rows: str, units: int, count: int) -> list[str]:
    """Adds states of zeros, float32 [rows, units]; `rows` is the name of an int64 [1]."""
    shape = graph.apply("Concat", rows, graph.integers(units), axis=0)
    return [graph.apply("ConstantOfShape", shape)] * count


def time_major(graph: GraphWriter, ids: str, length: str, rank: int = 2) -> tuple[str, str, str]:
    """Prepares a loop over time.

    Args:
        graph: The graph being written.
        ids: int64 [rows, time], or other values with more dimensions.
        length: int64 [rows].
        rank: Their number of dimensions.

    Returns:
        Names of the ids [time, rows], of the bool [time, rows, 1] that says whether a row is not yet at its end, and of
        the number of rows, int64 [1].
    """
    turned = graph.apply("Transpose", ids, perm=[1, 0, *range(2, rank)])
    shape = graph.apply("Shape", turned)
    time = graph.apply("Gather", shape, graph.weight(np.int64(0)))
    zero, one = graph.weight(np.int64(0)), graph.weight(np.int64(1))
    places = graph.apply("Unsqueeze", graph.apply("Range", zero, time, one), graph.integers(1))
    inside = graph.apply("Less", places, graph.apply("Unsqueeze", length, graph.integers(0)))
    rows = graph.apply("Gather", shape, graph.integers(1))
    return turned, graph.apply("Unsqueeze", inside, graph.integers(2)), rows


def masked(graph: GraphWriter, inside: str, after: Sequence[str], before: Sequence[str]) -> list[str]:
    """Adds states that stay as they were where a row is at its end."""
    return [graph.apply("Where", inside, new, old) for new, old in zip(after, before, strict=True)]


def loop_inside() -> onnx.ValueInfoProto:
    """Describes what a loop's body knows of the rows' ends: bool [rows, 1]."""
    return onnx.helper.make_tensor_value_info("inside", onnx.TensorProto.BOOL, ["rows", 1])


def first_gates(graph: GraphWriter, weights: Weights, name: str, tokens: str) -> str:
    """Adds the input product of a layer that reads tokens."""
    return graph.token_product(tokens, weights["embedding/table"], weights[f"{name}/kernel"], weights[f"{name}/bias"])


def add_softmax(
    graph: GraphWriter, weights: Weights, hidden: str, clusters: Sequence[int], *, bounded: bool
) -> onnx.ValueInfoProto:
    """Adds the logits of the tied softmax as the output `logits`; those of an adaptive one are log-probabilities.

    Args:
        graph: The graph being written.
        weights: The network's.
        hidden: float32 [rows, width].
        clusters: First ids of the rare clusters; none: the softmax is a full one.
        bounded: Whether `hidden` is within -1 and 1.
    """
    table, bias = weights["embedding/table"], weights["embedding/bias"]
    if clusters:
        frequent = clusters[0]
        table = np.concatenate([table[:frequent], weights["embedding/clusters"], table[frequent:]])
        bias = np.concatenate([bias[:frequent], weights["embedding/cluster_bias"], bias[frequent:]])
    logits = graph.product(hidden, table.T, bias, bounded=bounded, bias_name=SOFTMAX_BIAS)
    vocabulary = len(weights["embedding/table"])
    if clusters:
        logits = _joined_clusters(graph, logits, [*clusters, vocabulary])
    graph.rename(logits, "logits")
    return value("logits", np.float32, "rows", vocabulary)


def _joined_clusters(graph: GraphWriter, logits: str, bounds: Sequence[int]) -> str:
    """Adds log p of every token: of a rare one, that of its cluster and that within the cluster together."""
    count = len(bounds) - 1
    sizes = [bounds[0] + count, *(end - start for start, end in itertools.pairwise(bounds))]
    parts = graph.apply_many("Split", logits, graph.integers(*sizes), outputs=count + 1, axis=1)
    head, *tails = (graph.apply("LogSoftmax", part, axis=1) for part in parts)
    split = graph.integers(bounds[0], *[1] * count)
    frequent, *entries = graph.apply_many("Split", head, split, outputs=count + 1, axis=1)
    rare = [graph.apply("Add", entry, tail) for entry, tail in zip(entries, tails, strict=True)]
    return graph.apply("Concat", frequent, *rare, axis=1)
