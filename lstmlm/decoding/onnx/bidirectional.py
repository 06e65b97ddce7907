"""Bidirectional LSTM layers as ONNX: both directions of a layer in one loop."""

from __future__ import annotations

import numpy as np

from lstmlm.decoding.onnx.graph import GraphWriter, value
from lstmlm.decoding.onnx.layers import Weights, layer_step, loop_inside, masked, state_values, zero_states

DIRECTIONS = ("forward", "backward")


def both_ways(
    graph: GraphWriter, weights: Weights, n: int, gates: list[str], inside: str, rows: str
) -> tuple[str, ...]:
    """Adds both directions of a layer in one loop; returns h, C, h, C at the ends and h of every step, each way."""
    units = weights[f"encoder_{n}_forward/recurrent"].shape[0]
    body = GraphWriter(f"{graph.name}_step_{n}", int8=graph.int8)
    before = [f"{part}_{way}" for way in DIRECTIONS for part in ("h", "c")]
    after: list[str] = []
    for way, (h, c) in zip(DIRECTIONS, (before[:2], before[2:]), strict=True):
        after += layer_step(body, weights, f"encoder_{n}_{way}", f"gates_{way}", h, c)
    kept = masked(body, "inside", after, before)
    stacked = [body.apply("Identity", h) for h in (kept[0], kept[2])]
    inputs = [value(f"gates_{way}", np.float32, "rows", 4 * units) for way in DIRECTIONS]
    loop = body.graph(
        [*state_values(before, units, "rows"), *inputs, loop_inside()],
        state_values([*kept, *stacked], units, "rows"),
    )
    return graph.scan(loop, zero_states(graph, rows, units, 4), [*gates, inside])


def over_time(graph: GraphWriter, weights: Weights, name: str, values: str, *, bounded: bool = True) -> str:
    """Adds the product of a layer for all steps: float32 [time, rows, width] -> [time, rows, columns of the kernel]."""
    kernel = weights[f"{name}/kernel"]
    flat = graph.apply("Reshape", values, graph.integers(-1, kernel.shape[0]))
    product = graph.product(flat, kernel, weights[f"{name}/bias"], bounded=bounded)
    shape = graph.apply("Slice", graph.apply("Shape", values), graph.integers(0), graph.integers(2))
    return graph.apply("Reshape", product, graph.apply("Concat", shape, graph.integers(kernel.shape[1]), axis=0))
