"""The bidirectional encoder as ONNX: see `lstmlm.models.encoder`."""

from __future__ import annotations

from lstmlm.decoding.onnx.bidirectional import DIRECTIONS, both_ways, over_time
from lstmlm.decoding.onnx.graph import GraphWriter
from lstmlm.decoding.onnx.layers import Weights, count_layers, first_gates, time_major


def encoded(graph: GraphWriter, weights: Weights, ids: str, length: str, *, residual: bool = False) -> tuple[str, str]:
    """Adds the encoder over embedded tokens.

    Args:
        graph: The graph being written.
        weights: The network's: `embedding/table`, `encoder_0_forward/kernel`, ...
        ids: int64 [rows, time], padded.
        length: int64 [rows], at least 1.
        residual: Whether a layer's input is added to its output, from the second layer on.

    Returns:
        Names of the top layer's outputs, float32 [time, rows, 2 * units], and of its states at the ends of the text,
        float32 [rows, 2 * units].
    """
    turned, inside, rows = time_major(graph, ids, length)
    gates = [
        first_gates(graph, weights, f"encoder_0_{way}", read)
        for way, read in zip(DIRECTIONS, (turned, _reversed(graph, turned, length)), strict=True)
    ]
    return _layers(graph, weights, gates, length, inside, rows, residual=residual)


def encoded_values(
    graph: GraphWriter, weights: Weights, values: str, length: str, *, bounded: bool, residual: bool = False
) -> tuple[str, str]:
    """Adds the encoder over vectors.

    Args:
        graph: The graph being written.
        weights: The network's: `encoder_0_forward/kernel`, ...
        values: float32 [rows, time, width].
        length: int64 [rows], at least 1.
        bounded: Whether the vectors are within -1 and 1.
        residual: See `encoded`.

    Returns:
        See `encoded`.
    """
    turned, inside, rows = time_major(graph, values, length, rank=3)
    gates = _gates(graph, weights, 0, turned, length, bounded=bounded)
    return _layers(graph, weights, gates, length, inside, rows, residual=residual)


def _layers(
    graph: GraphWriter, weights: Weights, gates: list[str], length: str, inside: str, rows: str, *, residual: bool
) -> tuple[str, str]:
    """Adds the layers, of which the first one's input products are known."""
    layers, values = count_layers(weights, "encoder", "_forward"), ""
    for n in range(layers):
        if n:
            gates = _gates(graph, weights, n, values, length, bounded=not (residual and n > 1))
        *ends, ahead, back = both_ways(graph, weights, n, gates, inside, rows)
        outputs = graph.apply("Concat", ahead, _reversed(graph, back, length), axis=2)
        values = graph.apply("Add", outputs, values) if residual and n else outputs
    return values, graph.apply("Concat", ends[0], ends[2], axis=1)


def _gates(graph: GraphWriter, weights: Weights, n: int, values: str, length: str, *, bounded: bool) -> list[str]:
    """Adds the input products of a layer over float32 [time, rows, width], in either direction."""
    return [
        over_time(graph, weights, f"encoder_{n}_{way}", read, bounded=bounded)
        for way, read in zip(DIRECTIONS, (values, _reversed(graph, values, length)), strict=True)
    ]


def _reversed(graph: GraphWriter, values: str, length: str) -> str:
    return graph.apply("ReverseSequence", values, length, time_axis=0, batch_axis=1)
