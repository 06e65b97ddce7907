"""A trained network as ONNX files: what reads inputs and what takes a step, in float32 and in int8."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx

from lstmlm.decoding.onnx import language_model as onnx_language_model
from lstmlm.decoding.onnx import seq2seq as onnx_seq2seq


def encoder_file(folder: Path, *, int8: bool) -> Path:
    """Returns the file of the graph that reads inputs."""
    return folder / ("encoder.int8.onnx" if int8 else "encoder.onnx")


def decoder_file(folder: Path, *, int8: bool) -> Path:
    """Returns the file of the graph that takes a step."""
    return folder / ("decoder.int8.onnx" if int8 else "decoder.onnx")


def graphs(
    weights: Mapping[str, npt.NDArray[Any]], clusters: Sequence[int] = (), *, int8: bool
) -> tuple[onnx.ModelProto, onnx.ModelProto]:
    """Returns the graphs of a network: what reads inputs and what takes a step.

    Args:
        weights: Arrays by the names of `Autoregressive.named_variables`.
        clusters: First ids of the rare clusters of an adaptive softmax.
        int8: Compute the matrix products in int8 (see `lstmlm.decoding.onnx.graph`).
    """
    builder = onnx_seq2seq if "attention/score" in weights else onnx_language_model
    plain = {name: np.asarray(array, np.float32) for name, array in weights.items()}
    return builder.encoder(plain, int8=int8), builder.decoder(plain, clusters, int8=int8)


def write(folder: Path, weights: Mapping[str, npt.NDArray[Any]], clusters: Sequence[int] = ()) -> None:
    """Writes the four files (see `graphs`); the same weights give the same bytes."""
    for int8 in (False, True):
        encoder, decoder = graphs(weights, clusters, int8=int8)
        encoder_file(folder, int8=int8).write_bytes(encoder.SerializeToString(deterministic=True))
        decoder_file(folder, int8=int8).write_bytes(decoder.SerializeToString(deterministic=True))
