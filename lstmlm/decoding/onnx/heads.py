"""Output heads of a decoder step, computed in the ONNX graph so that no logits move to Python.

A stored decoder gives logits. A head takes a copy of it and puts something in their place.
"""

from __future__ import annotations

import numpy as np
import onnx
from onnx import helper, numpy_helper

from lstmlm.decoding.constraints.constraints import NEVER
from lstmlm.decoding.onnx.graph import value
from lstmlm.decoding.onnx.layers import SOFTMAX_BIAS
from lstmlm.tokenizer.special import PAD

LARGEST_BLOCK, SMALLEST_BLOCK = 128, 16
"""Tokens of a block of the vocabulary (see `_blocks`)."""


def never_padding(model: onnx.ModelProto) -> onnx.ModelProto:
    """Returns a copy whose logits rule padding out, as every search wants it and scoring does not."""
    copy = _copy(model)
    (bias,) = (weight for weight in copy.graph.initializer if weight.name == SOFTMAX_BIAS)
    values = numpy_helper.to_array(bias).copy()
    values[PAD] = NEVER
    bias.CopyFrom(numpy_helper.from_array(values, SOFTMAX_BIAS))
    return copy


def most_likely(model: onnx.ModelProto) -> onnx.ModelProto:
    """Returns a decoder that gives `chosen`, the most likely token: int64 [rows]."""
    copy = never_padding(model)
    blocks, size = _blocks(copy)
    nodes = [
        *_peaks(copy, "logits", blocks, size),
        helper.make_node("ArgMax", ["peaks"], ["block"], axis=1),
        helper.make_node("GatherND", ["blocks", "block"], ["inner"], batch_dims=1),
        helper.make_node("ArgMax", ["inner"], ["place"], axis=1),
        helper.make_node("Mul", ["block", "size"], ["begin"]),
        helper.make_node("Add", ["begin", "place"], ["column"]),
        helper.make_node("Squeeze", ["column", "second"], ["chosen"]),
    ]
    _constants(copy, second=[1])
    return _headed(copy, nodes, [value("chosen", np.int64, "rows")])


def best(model: onnx.ModelProto, count: int) -> onnx.ModelProto:
    """Returns a decoder that gives the `count` most likely tokens of each row, best first.

    They are `log_probabilities` (float32 [rows, count]) and `tokens` (int64 [rows, count]).
    """
    copy = never_padding(model)
    blocks, size = _blocks(copy)
    nodes = [helper.make_node("LogSoftmax", ["logits"], ["all"], axis=1)]
    if blocks < count:
        nodes += [helper.make_node("TopK", ["all", "count"], ["log_probabilities", "tokens"], axis=1)]
    else:
        nodes += [
            *_peaks(copy, "all", blocks, size),
            helper.make_node("TopK", ["peaks", "count"], ["high", "highest"], axis=1),
            helper.make_node("Unsqueeze", ["highest", "last"], ["places"]),
            helper.make_node("GatherND", ["blocks", "places"], ["inner"], batch_dims=1),
            helper.make_node("Reshape", ["inner", "flat"], ["candidates"]),
            helper.make_node("TopK", ["candidates", "count"], ["log_probabilities", "found"], axis=1),
            helper.make_node("Div", ["found", "size"], ["block"]),
            helper.make_node("GatherElements", ["highest", "block"], ["home"], axis=1),
            helper.make_node("Mul", ["home", "size"], ["begin"]),
            helper.make_node("Mod", ["found", "size"], ["place"]),
            helper.make_node("Add", ["begin", "place"], ["tokens"]),
        ]
        _constants(copy, last=[2], flat=[0, -1])
    _constants(copy, count=[count])
    outputs = [value("log_probabilities", np.float32, "rows", count), value("tokens", np.int64, "rows", count)]
    return _headed(copy, nodes, outputs)


def _blocks(model: onnx.ModelProto) -> tuple[int, int]:
    """Cuts the vocabulary into equal blocks; returns their number and their size.

    The highest values are in the blocks with the highest peaks. Peaks are found with vector instructions, places one by
    one: looking for places in only a few blocks takes a fifth of the time.
    """
    (logits,) = (output for output in model.graph.output if output.name == "logits")
    vocabulary = logits.type.tensor_type.shape.dim[1].dim_value
    size = max(size for size in range(1, min(vocabulary, LARGEST_BLOCK) + 1) if vocabulary % size == 0)
    return (vocabulary // size, size) if size >= SMALLEST_BLOCK else (1, vocabulary)


def _peaks(model: onnx.ModelProto, values: str, blocks: int, size: int) -> list[onnx.NodeProto]:
    """Cuts values [rows, vocabulary] into `blocks` [rows, blocks, size]; `peaks` are their maxima [rows, blocks]."""
    _constants(model, shape=[-1, blocks, size], size=[size], inside=[2])
    return [
        helper.make_node("Reshape", [values, "shape"], ["blocks"]),
        helper.make_node("ReduceMax", ["blocks", "inside"], ["peaks"], keepdims=0),
    ]


def _constants(model: onnx.ModelProto, **values: list[int]) -> None:
    for name, numbers in values.items():
        model.graph.initializer.append(numpy_helper.from_array(np.array(numbers, np.int64), name))


def scored(model: onnx.ModelProto) -> onnx.ModelProto:
    """Returns a decoder that takes `target` (int64 [rows]) and gives its `log_probability` (float32 [rows])."""
    copy = _copy(model)
    copy.graph.input.append(value("target", np.int64, "rows"))
    _constants(copy, second=[1])
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


def _headed(model: onnx.ModelProto, nodes: list[onnx.NodeProto], outputs: list[onnx.ValueInfoProto]) -> onnx.ModelProto:
    """Adds nodes to a model of one's own and puts outputs in the place of the logits."""
    model.graph.node.extend(nodes)
    kept = [output for output in model.graph.output if output.name != "logits"]
    del model.graph.output[:]
    model.graph.output.extend([*outputs, *kept])
    return model
