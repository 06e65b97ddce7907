"""The bidirectional encoder as ONNX: see `lstmlm.models.encoder`."""

from __future__ import annotations

import numpy as np

from lstmlm.decoding.onnx.graph import GraphWriter, value
from lstmlm.decoding.onnx.layers import (
    Weights,
    first_gates,
    layer_step,
    loop_inside,
    masked,
    state_values,
    time_major,
    zero_states,
)

_DIRECTIONS = ("forward", "backward")


def encoded(graph: GraphWriter, weights: Weights, ids: str, length: str) -> tuple[str, str]:
    """Adds the encoder over embedded tokens.

    Args:
        graph: The graph being written.
        weights: The network's: `embedding/table`, `encoder_0_forward/kernel`, ...
        ids: int64 [rows, time], padded.
        length: int64 [rows], at least 1.

    Returns:
        Names of the top layer's outputs, float32 [time, rows, 2 * units], and of its states at the ends of the text,
        float32 [rows, 2 * units].
    """
    turned, inside, rows = time_major(graph, ids, length)
    reversed_ids = graph.apply("ReverseSequence", turned, length, time_axis=0, batch_axis=1)
    gates = [
        first_gates(graph, weights, f"encoder_0_{way}", ids)
        for way, ids in zip(_DIRECTIONS, (turned, reversed_ids), strict=True)
    ]
    layers = sum(f"encoder_{n}_forward/recurrent" in weights for n in range(len(weights)))
    for n in range(layers):
        *ends, ahead, back = _both_ways(graph, weights, n, gates, inside, rows)
        back = graph.apply("ReverseSequence", back, length, time_axis=0, batch_axis=1)
        outputs = graph.apply("Concat", ahead, back, axis=2)
        if n + 1 < layers:
            turned_back = graph.apply("ReverseSequence", outputs, length, time_axis=0, batch_axis=1)
            gates = [
                over_time(graph, weights, f"encoder_{n + 1}_{way}", values)
                for way, values in zip(_DIRECTIONS, (outputs, turned_back), strict=True)
            ]
    return outputs, graph.apply("Concat", ends[0], ends[2], axis=1)


def _both_ways(
    graph: GraphWriter, weights: Weights, n: int, gates: list[str], inside: str, rows: str
) -> tuple[str, ...]:
    """Adds both directions of a layer in one loop; returns h, C, h, C at the ends and h of every step, each way."""
    units = weights[f"encoder_{n}_forward/recurrent"].shape[0]
    body = GraphWriter(f"{graph.name}_step_{n}", int8=graph.int8)
    before = [f"{part}_{way}" for way in _DIRECTIONS for part in ("h", "c")]
    after: list[str] = []
    for way, (h, c) in zip(_DIRECTIONS, (before[:2], before[2:]), strict=True):
        after += layer_step(body, weights, f"encoder_{n}_{way}", f"gates_{way}", h, c)
    kept = masked(body, "inside", after, before)
    stacked = [body.apply("Identity", h) for h in (kept[0], kept[2])]
    inputs = [value(f"gates_{way}", np.float32, "rows", 4 * units) for way in _DIRECTIONS]
    loop = body.graph(
        [*state_values(before, units, "rows"), *inputs, loop_inside()],
        state_values([*kept, *stacked], units, "rows"),
    )
    return graph.scan(loop, zero_states(graph, rows, units, 4), [*gates, inside])


def over_time(graph: GraphWriter, weights: Weights, name: str, values: str) -> str:
    """Adds the input product of a layer for all steps: float32 [time, rows, width] -> [time, rows, 4 * units]."""
    kernel = weights[f"{name}/kernel"]
    flat = graph.apply("Reshape", values, graph.integers(-1, kernel.shape[0]))
    product = graph.product(flat, kernel, weights[f"{name}/bias"])
    shape = graph.apply("Slice", graph.apply("Shape", values), graph.integers(0), graph.integers(2))
    return graph.apply("Reshape", product, graph.apply("Concat", shape, graph.integers(kernel.shape[1]), axis=0))
