"""The acoustic model as an ONNX graph: log-probabilities of all steps at once."""

from __future__ import annotations

import numpy as np
import onnx

from lstmlm.decoding.onnx.bidirectional import over_time
from lstmlm.decoding.onnx.encoder import encoded_values
from lstmlm.decoding.onnx.graph import GraphWriter, value
from lstmlm.decoding.onnx.layers import Weights


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
    # Frames are not within -1 and 1, nor are sums of outputs.
    outputs, _ = encoded_values(writer, weights, "values", "length", bounded=False, residual=residual)
    logits = over_time(writer, weights, "output", outputs, bounded=not residual)
    found = writer.apply("LogSoftmax", logits, axis=2)
    writer.rename(writer.apply("Transpose", found, perm=[1, 0, 2]), "log_probabilities")
    width, vocabulary = weights["encoder_0_forward/kernel"].shape[0], weights["output/kernel"].shape[1]
    inputs = [value("values", np.float32, "rows", "time", width), value("length", np.int64, "rows")]
    return writer.model(inputs, [value("log_probabilities", np.float32, "rows", "time", vocabulary)])
