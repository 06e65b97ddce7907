"""The bidirectional encoder as ONNX: see `lstmlm.models.encoder`."""

from __future__ import annotations

from lstmlm.decoding.onnx.bidirectional import DIRECTIONS, both_ways, over_time
from lstmlm.decoding.onnx.graph import GraphWriter
from lstmlm.decoding.onnx.layers import Weights, first_gates, time_major


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
        for way, ids in zip(DIRECTIONS, (turned, reversed_ids), strict=True)
    ]
    layers = sum(f"encoder_{n}_forward/recurrent" in weights for n in range(len(weights)))
    for n in range(layers):
        *ends, ahead, back = both_ways(graph, weights, n, gates, inside, rows)
        back = graph.apply("ReverseSequence", back, length, time_axis=0, batch_axis=1)
        outputs = graph.apply("Concat", ahead, back, axis=2)
        if n + 1 < layers:
            turned_back = graph.apply("ReverseSequence", outputs, length, time_axis=0, batch_axis=1)
            gates = [
                over_time(graph, weights, f"encoder_{n + 1}_{way}", values)
                for way, values in zip(DIRECTIONS, (outputs, turned_back), strict=True)
            ]
    return outputs, graph.apply("Concat", ends[0], ends[2], axis=1)
