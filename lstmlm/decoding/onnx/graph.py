"""Writes ONNX graphs node by node, with the matrix products in float32 or int8.

How int8 works here: a weight matrix is stored as int8 with one scale per output channel; what it is multiplied with is
rounded to uint8 when it comes. In an LSTM network nearly all of that is within -1 and 1 (a hidden state is o *
tanh(C), a context is a mean of hidden states, an attentional vector is a tanh), so its scale is known beforehand, and
a row is rounded the same way whatever the other rows contain. A scale taken from the whole batch, which is what
onnxruntime's dynamic quantisation uses, would make every output depend on its batch.

Processors without VNNI add pairs of int8 products in 16 bits, which can saturate: use float32 there.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto, helper, numpy_helper

OPSET = 18
IR_VERSION = 9  # the oldest that opset 18 allows: older runtimes read it too
CONTRIB = "com.microsoft"  # operators of onnxruntime

# A table of input products larger than this is not built: the product is computed at every step instead.
TABLE_BYTES = 1 << 28

Floats = npt.NDArray[np.float32]

_TYPES = {np.dtype(np.float32): TensorProto.FLOAT, np.dtype(np.int64): TensorProto.INT64}


class GraphWriter:
    """A graph being written. Values are known by their names.

    Args:
        name: Prefix of all names, so that the graphs of one model do not share any.
        int8: Compute the matrix products in int8.
    """

    def __init__(self, name: str, *, int8: bool) -> None:
        self.name, self.int8 = name, int8
        self._nodes: list[onnx.NodeProto] = []
        self._weights: list[onnx.TensorProto] = []

    def weight(self, array: npt.ArrayLike, name: str | None = None) -> str:
        """Adds a constant and returns its name."""
        name = name or f"{self.name}/constant_{len(self._weights)}"
        self._weights.append(numpy_helper.from_array(np.ascontiguousarray(array), name))
        return name

    def integers(self, *values: int) -> str:
        """Adds a constant list of int64."""
        return self.weight(np.array(values, np.int64))

    def apply(self, operator: str, *inputs: str, domain: str = "", **attributes: Any) -> str:
        """Adds a node with one output and returns the output's name; an input that is left out is an empty name."""
        return self.apply_many(operator, *inputs, outputs=1, domain=domain, **attributes)[0]

    def apply_many(
        self, operator: str, *inputs: str, outputs: int, domain: str = "", **attributes: Any
    ) -> tuple[str, ...]:
        """Adds a node with several outputs and returns their names."""
        number = len(self._nodes)
        names = tuple(f"{self.name}/{operator}_{number}_{n}" for n in range(outputs))
        self._nodes.append(helper.make_node(operator, inputs, names, domain=domain, **attributes))
        return names

    def rename(self, value: str, name: str) -> None:
        """Gives a value the name of an output of the graph."""
        self._nodes.append(helper.make_node("Identity", [value], [name]))

    def product(
        self, values: str, matrix: Floats, bias: Floats | None = None, *, bounded: bool = True, bias_name: str = ""
    ) -> str:
        """Adds values @ matrix + bias.

        Args:
            values: float32 [rows, width].
            matrix: float32 [width, units].
            bias: float32 [units], or None.
            bounded: Whether the values are within -1 and 1.
            bias_name: Name of the bias among the constants, where someone has to find it.

        Returns:
            Name of float32 [rows, units].
        """
        added = "" if bias is None else self.weight(bias, bias_name or None)
        if not self.int8:
            return self.apply("Gemm", values, self.weight(matrix), *([added] if added else []))
        if bounded:
            return self._int8_product(values, matrix, added)
        # Each row is brought within -1 and 1 by its own largest value.
        peak = self.apply("ReduceMax", self.apply("Abs", values), self.integers(1), keepdims=1)
        peak = self.apply("Max", peak, self.weight(np.float32(1e-9)))
        scaled = self._int8_product(self.apply("Div", values, peak), matrix, "")
        product = self.apply("Mul", scaled, peak)
        return self.apply("Add", product, added) if added else product

    def _int8_product(self, values: str, matrix: Floats, bias: str) -> str:
        rounded, scales = quantise(matrix)
        scale, zero = self.weight(np.float32(1 / 127)), self.weight(np.uint8(128))
        left = self.apply("QuantizeLinear", values, scale, zero)
        right = [self.weight(rounded), scale, self.weight(scales), zero, "", bias]
        return self.apply("MatMulIntegerToFloat", left, *(right if bias else right[:-2]), domain=CONTRIB)

    def token_product(self, tokens: str, table: Floats, matrix: Floats, bias: Floats) -> str:
        """Adds table[tokens] @ matrix + bias: a look-up where the products of the whole vocabulary fit into memory.

        The file holds the factors; onnxruntime multiplies them once, when it loads the model.

        Args:
            tokens: int64 [...].
            table: The embedding, float32 [vocabulary, width].
            matrix: float32 [width, units].
            bias: float32 [units].

        Returns:
            Name of float32 [..., units].
        """
        embedding, kernel, added = (self.weight(array) for array in (table, matrix, bias))
        if len(table) * matrix.shape[1] * 4 <= TABLE_BYTES:
            products = self.apply("Add", self.apply("MatMul", embedding, kernel), added)
            return self.apply("Gather", products, tokens)
        return self.apply("Add", self.apply("MatMul", self.apply("Gather", embedding, tokens), kernel), added)

    def cell(self, gates: str, c: str, units: int) -> tuple[str, str]:
        """Adds the LSTM cell after its matrix products; returns h and C (see `lstmlm.models.lstm`)."""
        parts = self.apply_many("Split", gates, self.integers(3 * units, units), outputs=2, axis=1)
        sigmoids = self.apply("Sigmoid", parts[0])
        i, f, o = self.apply_many("Split", sigmoids, self.integers(units, units, units), outputs=3, axis=1)
        kept, added = self.apply("Mul", f, c), self.apply("Mul", i, self.apply("Tanh", parts[1]))
        c = self.apply("Add", kept, added)
        return self.apply("Mul", o, self.apply("Tanh", c)), c

    def scan(self, body: onnx.GraphProto, states: Sequence[str], inputs: Sequence[str]) -> tuple[str, ...]:
        """Adds a loop over the first axis of the inputs; returns the last states, then the stacked outputs."""
        return self.apply_many(
            "Scan", *states, *inputs, outputs=len(body.output), body=body, num_scan_inputs=len(inputs)
        )

    def graph(self, inputs: Sequence[onnx.ValueInfoProto], outputs: Sequence[onnx.ValueInfoProto]) -> onnx.GraphProto:
        """Returns the graph; outputs are named like values, or given their name by `rename`."""
        return helper.make_graph(self._nodes, self.name, inputs, outputs, self._weights)

    def model(self, inputs: Sequence[onnx.ValueInfoProto], outputs: Sequence[onnx.ValueInfoProto]) -> onnx.ModelProto:
        """Returns the graph as a model that can be stored."""
        return helper.make_model(
            self.graph(inputs, outputs),
            ir_version=IR_VERSION,
            opset_imports=[helper.make_opsetid("", OPSET), helper.make_opsetid(CONTRIB, 1)],
            producer_name="lstmlm",
        )


def value(name: str, kind: type[np.generic], *shape: int | str) -> onnx.ValueInfoProto:
    """Describes an input or output; a dimension that is not fixed has a name."""
    return helper.make_tensor_value_info(name, _TYPES[np.dtype(kind)], shape)


def quantise(matrix: Floats) -> tuple[npt.NDArray[np.int8], Floats]:
    """Rounds a matrix to int8, symmetrically, with one scale per column.

    Args:
        matrix: float32 [width, units].

    Returns:
        int8 [width, units] within -127 and 127, and the scales, float32 [units].
    """
    scales = np.maximum(np.abs(matrix).max(axis=0), 1e-12).astype(np.float32) / np.float32(127)
    return np.rint(matrix / scales).astype(np.int8), scales
