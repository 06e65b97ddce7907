"""The language model as two ONNX graphs: one reads prompts, one takes a step."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import onnx

from lstmlm.decoding.onnx.graph import GraphWriter, value
from lstmlm.decoding.onnx.layers import (
    Weights,
    add_softmax,
    count_layers,
    first_gates,
    loop_inside,
    masked,
    stack_step,
    state_values,
    states,
    time_major,
    zero_states,
)


def encoder(weights: Weights, *, int8: bool) -> onnx.ModelProto:
    """Returns the graph that reads prompts.

    It takes `ids` (int64 [rows, time], padded) and `length` (int64 [rows], may be 0), and gives the states after the
    last token of each row: `h_0`, `c_0`, `h_1`, ... (float32 [rows, units]).
    """
    layers, units = count_layers(weights, "layer"), weights["layer_0/recurrent"].shape[0]
    graph = GraphWriter("reader", int8=int8)
    turned, inside, rows = time_major(graph, "ids", "length")
    gates = first_gates(graph, weights, "layer_0", turned)
    before = states("before_", layers)
    body = GraphWriter("reader_step", int8=int8)
    after = masked(body, "inside", stack_step(body, weights, "layer", "gates", before), before)
    inputs = [*state_values(before, units, "rows"), value("gates", np.float32, "rows", 4 * units), loop_inside()]
    loop = body.graph(inputs, state_values(after, units, "rows"))
    last = graph.scan(loop, zero_states(graph, rows, units, 2 * layers), [gates, inside])
    names = states("", layers)
    for found, name in zip(last, names, strict=True):
        graph.rename(found, name)
    return graph.model(
        [value("ids", np.int64, "rows", "time"), value("length", np.int64, "rows")], state_values(names, units, "rows")
    )


def decoder(weights: Weights, clusters: Sequence[int] = (), *, int8: bool) -> onnx.ModelProto:
    """Returns the graph of a step.

    It takes `token` (int64 [rows]) and the states, and gives `logits` (float32 [rows, vocabulary]) and the states
    after, `next_h_0`, `next_c_0`, ...
    """
    layers, units = count_layers(weights, "layer"), weights["layer_0/recurrent"].shape[0]
    graph = GraphWriter("step", int8=int8)
    before, names = states("", layers), states("next_", layers)
    after = stack_step(graph, weights, "layer", first_gates(graph, weights, "layer_0", "token"), before)
    hidden = graph.product(after[-2], weights["projection/kernel"], weights["projection/bias"])
    logits = add_softmax(graph, weights, hidden, clusters, bounded=False)
    for found, name in zip(after, names, strict=True):
        graph.rename(found, name)
    inputs = [value("token", np.int64, "rows"), *state_values(before, units, "rows")]
    return graph.model(inputs, [logits, *state_values(names, units, "rows")])


def scorer(weights: Weights, clusters: Sequence[int] = (), *, int8: bool) -> onnx.ModelProto:
    """Returns the graph that scores given texts, many tokens at once: the softmax is computed for all of them together.

    It takes `ids` and `target` (int64 [rows, time]) and the states, and gives `log_probability` of each target (float32
    [rows, time]) and the states after, `next_h_0`, `next_c_0`, ...
    """
    layers, units = count_layers(weights, "layer"), weights["layer_0/recurrent"].shape[0]
    graph = GraphWriter("scorer", int8=int8)
    given, names, before = states("", layers), states("next_", layers), states("before_", layers)
    gates = first_gates(graph, weights, "layer_0", graph.apply("Transpose", "ids", perm=[1, 0]))
    body = GraphWriter("scorer_step", int8=int8)
    after = stack_step(body, weights, "layer", "gates", before)
    body.rename(after[-2], "top")
    inputs = [*state_values(before, units, "rows"), value("gates", np.float32, "rows", 4 * units)]
    outputs = [*state_values(after, units, "rows"), value("top", np.float32, "rows", units)]
    *last, top = graph.scan(body.graph(inputs, outputs), given, [gates])
    hidden = graph.apply("Reshape", top, graph.integers(-1, units))
    hidden = graph.product(hidden, weights["projection/kernel"], weights["projection/bias"])
    add_softmax(graph, weights, hidden, clusters, bounded=False)
    turned = graph.apply("Transpose", "target", perm=[1, 0])
    column = graph.apply("Reshape", turned, graph.integers(-1, 1))
    chosen = graph.apply("GatherElements", graph.apply("LogSoftmax", "logits", axis=1), column, axis=1)
    squared = graph.apply("Reshape", chosen, graph.apply("Shape", turned))
    graph.rename(graph.apply("Transpose", squared, perm=[1, 0]), "log_probability")
    for found, name in zip(last, names, strict=True):
        graph.rename(found, name)
    texts = [value(name, np.int64, "rows", "time") for name in ("ids", "target")]
    scores = value("log_probability", np.float32, "rows", "time")
    return graph.model(
        [*texts, *state_values(given, units, "rows")], [scores, *state_values(names, units, "rows")]
    )  # fmt: skip
