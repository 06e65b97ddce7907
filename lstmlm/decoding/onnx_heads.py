"""What a step of the decoder gives beside its states: computed in the graph, so that no logits move to Python.

A stored decoder gives logits. A head takes a copy of it and puts something in their place.
"""

from __future__ import annotations

import numpy as np
import onnx
from onnx import helper, numpy_helper

from lstmlm.decoding.constraints import NEVER
from lstmlm.decoding.onnx_graph import value
from lstmlm.decoding.onnx_layers import SOFTMAX_BIAS
from lstmlm.tokenizer import Tokenizer


def never_padding(model: onnx.ModelProto) -> onnx.ModelProto:
    """Returns a copy whose logits rule padding out, as every search wants it and scoring does not."""
    copy = _copy(model)
    (bias,) = (weight for weight in copy.graph.initializer if weight.name == SOFTMAX_BIAS)
    values = numpy_helper.to_array(bias).copy()
    values[Tokenizer.PAD] = NEVER
    bias.CopyFrom(numpy_helper.from_array(values, SOFTMAX_BIAS))
    return copy


def most_likely(model: onnx.ModelProto) -> onnx.ModelProto:
    """Returns a decoder that gives `chosen`, the most likely token: int64 [rows]."""
    copy = never_padding(model)
    nodes = [helper.make_node("ArgMax", ["logits"], ["chosen"], axis=1, keepdims=0)]
    return _headed(copy, nodes, [value("chosen", np.int64, "rows")])


def best(model: onnx.ModelProto, count: int) -> onnx.ModelProto:
    """Returns a decoder that gives the `count` most likely tokens of each row, best first.

    They are `log_probabilities` (float32 [rows, count]) and `tokens` (int64 [rows, count]).
    """
    copy = never_padding(model)
    copy.graph.initializer.append(numpy_helper.from_array(np.array([count], np.int64), "count"))
    nodes = [
        helper.make_node("LogSoftmax", ["logits"], ["all"], axis=1),
        helper.make_node("TopK", ["all", "count"], ["log_probabilities", "tokens"], axis=1),
    ]
    outputs = [value("log_probabilities", np.float32, "rows", count), value("tokens", np.int64, "rows", count)]
    return _headed(copy, nodes, outputs)


def scored(model: onnx.ModelProto) -> onnx.ModelProto:
    """Returns a decoder that takes `target` (int64 [rows]) and gives its `log_probability` (float32 [rows])."""
    copy = _copy(model)
    copy.graph.input.append(value("target", np.int64, "rows"))
    copy.graph.initializer.append(numpy_helper.from_array(np.array([1], np.int64), "second"))
    nodes = [
        helper.make_node("LogSoftmax", ["logits"], ["all"], axis=1),
        helper.make_node("Unsqueeze", ["target", "second"], ["column"]),
        helper.make_node("GatherElements", ["all", "column"], ["gathered"], axis=1),
        helper.make_node("Squeeze", ["gathered", "second"], ["log_probability"]),
    ]
    return _headed(copy, nodes, [value("log_probability", np.float32, "rows")])


def _copy(model: onnx.ModelProto) -> onnx.ModelProto:
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    return copy


def _headed(
    model: onnx.ModelProto, nodes: list[onnx.NodeProto], outputs: list[onnx.ValueInfoProto]
) -> onnx.ModelProto:
    """Adds nodes to a model of one's own and puts outputs in the place of the logits."""
    model.graph.node.extend(nodes)
    kept = [output for output in model.graph.output if output.name != "logits"]
    del model.graph.output[:]
    model.graph.output.extend([*outputs, *kept])
    return model
