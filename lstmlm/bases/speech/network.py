"""A published acoustic model: samples in, log-probabilities out, in batches whose shape follows from the recording."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt

from lstmlm.audio.decode import Whole
from lstmlm.audio.features import log_mel
from lstmlm.audio.normalise import normalised, stacked
from lstmlm.bases.speech.options import TranscribeOptions, options_of
from lstmlm.inference.model.one_pass_onnx import one_pass_session
from lstmlm.inference.model.served import batch_size, load_signature
from lstmlm.publish.folder import read_manifest
from lstmlm.recipe.recipe import Recipe

Floats = npt.NDArray[np.float32]

BUCKET_SECONDS = (0.5, 1.0, 2.0, 4.0, 7.0, 10.0, 12.5, 15.0, 17.5, 20.0)
"""Recordings are padded to the first of these that they fit in: what a network computes of one then does not depend on
those next to it, not even in the rounding of sums."""

_BATCH_SECONDS = 160.0
"""Recordings of so many seconds together are computed at once at most."""


class Network(Protocol):
    """Computes a batch of samples."""

    def __call__(self, samples: Floats, lengths: npt.NDArray[np.int32]) -> tuple[Floats, npt.NDArray[np.int32]]:
        """Returns log-probabilities, float32 [rows, steps, vocabulary], and the steps of each row."""


class ServedNetwork:
    """The SavedModel of an export folder.

    Args:
        folder: The export folder.
        threads: TensorFlow threads to compute with. A process in which TensorFlow already runs keeps its own.

    Raises:
        UserError: Not a finished export, or one that does not have the signature.
    """

    def __init__(self, folder: Path, threads: int | None) -> None:
        self._loaded, self._call = load_signature(folder, threads)

    def __call__(self, samples: Floats, lengths: npt.NDArray[np.int32]) -> tuple[Floats, npt.NDArray[np.int32]]:
        """See `Network`."""
        import tensorflow as tf

        found = self._call(samples=tf.constant(samples), samples_length=tf.constant(lengths))
        return found["log_probabilities"].numpy(), found["steps"].numpy()


class OnnxNetwork:
    """The ONNX graph of an export folder, on features by kaldi-native-fbank.

    Args:
        folder: The export folder.
        options: The recipe's: what the network reads.
        int8: Compute the matrix products in int8.
        threads: Threads to compute with.

    Raises:
        UserError: The export has no such file.
    """

    def __init__(self, folder: Path, options: TranscribeOptions, *, int8: bool, threads: int) -> None:
        self._options = options
        self._session = one_pass_session(folder, int8=int8, threads=threads)

    def __call__(self, samples: Floats, lengths: npt.NDArray[np.int32]) -> tuple[Floats, npt.NDArray[np.int32]]:
        """See `Network`."""
        options, form = self._options, self._options.form
        width, most = form.mels * options.stack, -(-form.frames(samples.shape[1]) // options.stride)
        values, steps = np.zeros([len(samples), most, width], np.float32), np.zeros(len(samples), np.int32)
        for row, length in enumerate(lengths.tolist()):
            frames = normalised(log_mel(samples[row, :length], form), options.normalise == "bands")
            read = stacked(frames, options.stack, options.stride)
            values[row, : len(read)], steps[row] = read, len(read)
        feed = {"values": values, "length": np.maximum(steps, 1).astype(np.int64)}
        (found,) = self._session.run(["log_probabilities"], feed)
        return found, steps


class Batches:
    """Gives a network the recordings of like length together.

    Args:
        network: The network.
        rate: Samples per second.
        rows: Recordings computed together at most.
    """

    def __init__(self, network: Network, rate: int, rows: int) -> None:
        self._network = network
        self._sizes = [int(seconds * rate) for seconds in BUCKET_SECONDS]
        self._rows = [max(1, min(rows, int(_BATCH_SECONDS // seconds))) for seconds in BUCKET_SECONDS]

    def bucket(self, samples: Whole) -> int:
        """Returns the number of the bucket of a recording."""
        return next(place for place, size in enumerate(self._sizes) if len(samples) <= size)

    def rows(self, bucket: int) -> int:
        """Returns how many recordings of a bucket are computed together."""
        return self._rows[bucket]

    def computed(self, bucket: int, recordings: Sequence[Whole]) -> list[Floats]:
        """Returns the log-probabilities of recordings of one bucket, float32 [steps, vocabulary] each."""
        values = np.zeros([self._rows[bucket], self._sizes[bucket]], np.float32)
        lengths = np.zeros(self._rows[bucket], np.int32)
        for row, samples in enumerate(recordings):
            values[row, : len(samples)] = samples.astype(np.float32) / np.float32(32768)
            lengths[row] = len(samples)
        found, steps = self._network(values, lengths)
        return [found[row, : steps[row]] for row in range(len(recordings))]


def load_batches(folder: Path, recipe: Recipe) -> Batches:
    """Verifies and loads an export folder, as `decoding.backend` and `decoding.precision` say.

    Raises:
        UserError: See `ServedNetwork` and `OnnxNetwork`.
    """
    read_manifest(folder, "export", verify=True)
    options, decoding, threads = options_of(recipe), recipe.decoding, recipe.training.threads
    network: Network
    if decoding.backend == "onnx":
        network = OnnxNetwork(folder, options, int8=decoding.precision == "int8", threads=threads)
    else:
        network = ServedNetwork(folder, threads)
    return Batches(network, options.rate, batch_size(folder))
