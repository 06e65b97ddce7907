"""The pair model as two ONNX graphs: one encodes sources, one takes a step of the decoder.

A step's attention is bound by the memory it reads. So the decoder keeps the encoder's outputs e only, not also W e
next to them: the score h^T W e is (W^T h)^T e, and W^T h is one small product a step.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import onnx

from lstmlm.decoding.onnx.copying import POINTER, add_copying_softmax
from lstmlm.decoding.onnx.encoder import encoded
from lstmlm.decoding.onnx.graph import CONTRIB, GraphWriter, value
from lstmlm.decoding.onnx.layers import (
    Weights,
    add_softmax,
    count_layers,
    first_gates,
    stack_step,
    state_values,
    states,
)

COVERAGE = "attention/coverage"
"""The weight that a model with coverage has."""


def encoder(weights: Weights, *, int8: bool) -> onnx.ModelProto:
    """Returns the graph that reads sources.

    It takes `ids` (int64 [records, time], padded) and `length` (int64 [records], at least 1), and gives the first
    states of the decoder `h_0`, `c_0`, ... (float32 [records, units]) and the outputs to attend to, `values` (float32
    [records, time, width]). Of a model that copies it also gives `source`, the ids; of one with coverage `coverage`,
    zeros (float32 [records, time]).
    """
    graph = GraphWriter("encoder", int8=int8)
    outputs, ends = encoded(graph, weights, "ids", "length")
    names, units = _first_states(graph, weights, ends)
    width = weights["attention/score"].shape[0]
    graph.rename(graph.apply("Transpose", outputs, perm=[1, 0, 2]), "values")
    outputs_of = [*state_values(names, units, "rows"), value("values", np.float32, "rows", "time", width)]
    if POINTER in weights:
        graph.rename("ids", "source")
        outputs_of.append(value("source", np.int64, "rows", "time"))
    if COVERAGE in weights:
        graph.rename(graph.apply("ConstantOfShape", graph.apply("Shape", "ids")), "coverage")
        outputs_of.append(value("coverage", np.float32, "rows", "time"))
    return graph.model([value("ids", np.int64, "rows", "time"), value("length", np.int64, "rows")], outputs_of)


def _first_states(graph: GraphWriter, weights: Weights, ends: str) -> tuple[list[str], int]:
    layers, units = count_layers(weights, "decoder"), weights["decoder_0/recurrent"].shape[0]
    bridge = graph.apply("Tanh", graph.product(ends, weights["bridge/kernel"], weights["bridge/bias"]))
    names = states("", layers)
    parts = graph.apply_many("Split", bridge, graph.integers(*[units] * len(names)), outputs=len(names), axis=1)
    for found, name in zip(parts, names, strict=True):
        graph.rename(found, name)
    return names, units


def decoder(weights: Weights, clusters: Sequence[int] = (), *, int8: bool) -> onnx.ModelProto:
    """Returns the graph of a step; rows / records hypotheses of a record are adjacent and share its memory.

    It takes `token` (int64 [rows]), the states `h_0`, `c_0`, ..., `values` and `length` of the records, and gives
    `logits` (float32 [rows, vocabulary]), the states after `next_h_0`, `next_c_0`, ..., and `attention` (float32 [rows,
    time]). A model that copies also takes `source`, and its logits are log-probabilities; one with coverage takes
    `coverage` (float32 [rows, time]) and gives `next_coverage`.
    """
    layers, units = count_layers(weights, "decoder"), weights["decoder_0/recurrent"].shape[0]
    graph = GraphWriter("step", int8=int8)
    before, names = states("", layers), states("next_", layers)
    after = stack_step(graph, weights, "decoder", first_gates(graph, weights, "decoder_0", "token"), before)
    context, attention = _attend(graph, weights, after[-2])
    joined = graph.apply("Concat", context, after[-2], axis=1)
    combined = graph.product(joined, weights["attention_combine/kernel"], weights["attention_combine/bias"])
    vector = graph.apply("Tanh", combined)
    if POINTER in weights:
        logits = add_copying_softmax(graph, weights, vector, attention)
    else:
        logits = add_softmax(graph, weights, vector, clusters, bounded=True)
    for found, name in zip([*after, attention], [*names, "attention"], strict=True):
        graph.rename(found, name)
    inputs = [value("token", np.int64, "rows"), *state_values(before, units, "rows")]
    inputs += [value("values", np.float32, "records", "time", weights["attention/score"].shape[0])]
    inputs += [value("length", np.int64, "records")]
    outputs = [logits, *state_values(names, units, "rows"), value("attention", np.float32, "rows", "time")]
    if POINTER in weights:
        inputs.append(value("source", np.int64, "records", "time"))
    if COVERAGE in weights:
        graph.rename(graph.apply("Add", "coverage", attention), "next_coverage")
        inputs.append(value("coverage", np.float32, "rows", "time"))
        outputs.append(value("next_coverage", np.float32, "rows", "time"))
    return graph.model(inputs, outputs)


def _attend(graph: GraphWriter, weights: Weights, h: str) -> tuple[str, str]:
    """Adds attention from every row; returns the contexts [rows, width] and the weights [rows, time]."""
    score = weights["attention/score"]
    width = score.shape[0]
    shape = graph.apply("Shape", "values")
    records = graph.apply("Gather", shape, graph.integers(0))
    grouped = graph.apply("Concat", records, graph.integers(-1, width), axis=0)
    queries = graph.apply("Reshape", graph.product(h, score.T), grouped)
    scores = graph.apply("FusedMatMul", queries, "values", domain=CONTRIB, transB=1)
    time = graph.apply("Gather", shape, graph.weight(np.int64(1)))
    places = graph.apply("Range", graph.weight(np.int64(0)), time, graph.weight(np.int64(1)))
    inside = graph.apply("Less", places, graph.apply("Unsqueeze", "length", graph.integers(1, 2)))
    bias = graph.apply("Where", inside, graph.weight(np.float32(0)), graph.weight(np.float32(-1e9)))
    scores = graph.apply("Add", scores, bias)
    if COVERAGE in weights:
        before = graph.apply("Reshape", "coverage", graph.apply("Shape", scores))
        scores = graph.apply("Add", scores, graph.apply("Mul", before, graph.weight(weights[COVERAGE])))
    attention = graph.apply("Softmax", scores, axis=2)
    context = graph.apply("Reshape", graph.apply("MatMul", attention, "values"), graph.integers(-1, width))
    flat = graph.apply("Concat", graph.integers(-1), graph.apply("Gather", shape, graph.integers(1)), axis=0)
    return context, graph.apply("Reshape", attention, flat)
