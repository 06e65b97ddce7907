"""The acoustic model as an ONNX graph: log-probabilities of all steps at once."""

from __future__ import annotations

import numpy as np
import onnx

from lstmlm.decoding.onnx.bidirectional import DIRECTIONS, both_ways, over_time
from lstmlm.decoding.onnx.graph import GraphWriter, value
from lstmlm.decoding.onnx.layers import Weights, time_major


def graph(weights: Weights, *, residual: bool, int8: bool) -> onnx.ModelProto:
    """Returns the graph.

    It takes `values` (float32 [rows, time, width], normalised and stacked frames) and `length` (int64 [rows], at least
    1), and gives `log_probabilities` (float32 [rows, time, vocabulary]).

    Args:
        weights: Arrays by the names of `Acoustic.named_variables`.
        residual: Whether a layer's input is added to its output, from the second layer on.
        int8: Compute the matrix products in int8 (see `lstmlm.decoding.onnx.graph`).
    """
    writer = GraphWriter("acoustic", int8=int8)
    values, inside, rows = time_major(writer, "values", "length", rank=3)
    layers = sum(f"encoder_{n}_forward/recurrent" in weights for n in range(len(weights)))
    for n in range(layers):
        turned = writer.apply("ReverseSequence", values, "length", time_axis=0, batch_axis=1)
        bounded = n > 0 and not (residual and n > 1)  # frames are not within -1 and 1, nor are sums of outputs
        gates = [
            over_time(writer, weights, f"encoder_{n}_{way}", read, bounded=bounded)
            for way, read in zip(DIRECTIONS, (values, turned), strict=True)
        ]
        *_, ahead, back = both_ways(writer, weights, n, gates, inside, rows)
        back = writer.apply("ReverseSequence", back, "length", time_axis=0, batch_axis=1)
        outputs = writer.apply("Concat", ahead, back, axis=2)
        values = writer.apply("Add", outputs, values) if residual and n > 0 else outputs
    logits = over_time(writer, weights, "output", values, bounded=not (residual and layers > 1))
    found = writer.apply("LogSoftmax", logits, axis=2)
    writer.rename(writer.apply("Transpose", found, perm=[1, 0, 2]), "log_probabilities")
    width, vocabulary = weights["encoder_0_forward/kernel"].shape[0], weights["output/kernel"].shape[1]
    inputs = [value("values", np.float32, "rows", "time", width), value("length", np.int64, "rows")]
    return writer.model(inputs, [value("log_probabilities", np.float32, "rows", "time", vocabulary)])
