"""Changes batches of training examples at random, each epoch in another way; on log-mel frames, in a graph.

Speed, vocal tract, noise and pauses are those of perturbed recordings (Ko et al. 2015; Jaitly and Hinton 2013), moved
to the features, where they cost little; masks are SpecAugment (Park et al. 2019). What is drawn depends on the given
seed only.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

import tensorflow as tf

from lstmlm.audio.settings import LOWEST_HERTZ

Batch = Mapping[str, tf.Tensor]


@dataclasses.dataclass(frozen=True, slots=True)
class Changes:
    """How much is changed.

    Attributes:
        join: Share of rows that another row of the batch is put behind, after a pause.
        speed: Largest relative change of speed.
        tract: Largest relative change of frequencies.
        noise: Share of rows with noise.
        snr: Least and greatest distance from the level of the noise to that of the recording, in dB.
        frequency_masks: Number of masks over bands.
        frequency_width: Bands of a mask at most.
        time_masks: Number of masks over frames.
        time_width: Frames of a mask at most.
        time_share: Share of a row that a mask covers at most.
    """

    join: float = 0.0
    speed: float = 0.0
    tract: float = 0.0
    noise: float = 0.0
    snr: tuple[float, float] = (5.0, 25.0)
    frequency_masks: int = 0
    frequency_width: int = 0
    time_masks: int = 0
    time_width: int = 0
    time_share: float = 0.2

    @property
    def any(self) -> bool:
        """Whether anything is changed."""
        return any((self.join, self.speed, self.tract, self.noise, self.frequency_masks, self.time_masks))


def steps_needed(tokens: tf.Tensor) -> tf.Tensor:
    """Returns the fewest steps that CTC can write tokens in: one each, and a blank between equal neighbours.

    Args:
        tokens: int32 [rows, time], padded with 0.

    Returns:
        int32 [rows].
    """
    equal = (tokens[:, 1:] == tokens[:, :-1]) & (tokens[:, 1:] > 0)
    return tf.math.count_nonzero(tokens, axis=1, dtype=tf.int32) + tf.math.count_nonzero(equal, axis=1, dtype=tf.int32)


def changed(batch: Batch, changes: Changes, seed: tf.Tensor, *, rate: int, stride: int) -> dict[str, tf.Tensor]:
    """Returns a batch of as many rows, changed.

    Args:
        batch: `frames` (float32 [rows, time, mels]), `frames_length`, `tokens`, `tokens_length` and `is_example`.
        changes: How much.
        seed: int32 [2].
        rate: Samples per second of the recordings, which says what frequency a band has.
        stride: Frames of a step of CTC: no row becomes too short for its tokens.
    """
    result = dict(batch)
    if changes.join:
        result = joined(result, changes.join, _seed(seed, 1))
    lengths, frames = tf.cast(result["frames_length"], tf.int32), result["frames"]
    if changes.speed or changes.tract:
        needed = steps_needed(result["tokens"]) * stride
        frames, lengths = _warped(frames, lengths, needed, changes, _seed(seed, 2), rate)
    if changes.noise:
        frames = _with_noise(frames, lengths, changes, _seed(seed, 3))
    frames = _masked(frames, lengths, changes, _seed(seed, 4))
    return result | {"frames": frames, "frames_length": lengths}


def joined(batch: Batch, share: float, seed: tf.Tensor) -> dict[str, tf.Tensor]:
    """Puts behind some rows another row of the batch, after a pause of up to 0.4 s at the quietest level of the two."""
    rows, time = tf.shape(batch["frames"])[0], tf.shape(batch["frames"])[1]
    real = tf.cast(batch["is_example"], tf.bool)
    ahead = 1 + tf.cast(_uniform([rows], seed, 0) * tf.cast(rows, tf.float32), tf.int32)
    other = tf.math.floormod(tf.range(rows) + ahead, rows)
    chosen = (_uniform([rows], seed, 1) < share) & real & tf.gather(real, other)
    pause = tf.cast(_uniform([rows], seed, 2) * 40.0, tf.int32)
    first = tf.cast(batch["frames_length"], tf.int32)
    quiet, second = _quietest(batch["frames"], first), tf.gather(first, other)
    lengths = tf.where(chosen, first + pause + second, first)
    width = tf.maximum(time, (tf.reduce_max(lengths) + 7) // 8 * 8)
    places = tf.range(width)[None]
    own = tf.pad(batch["frames"], [[0, 0], [0, width - time], [0, 0]])
    start = (first + pause)[:, None]
    behind = tf.gather(tf.gather(own, other), tf.clip_by_value(places - start, 0, width - 1), batch_dims=1)
    silence = tf.minimum(quiet, tf.gather(quiet, other))[:, None]
    in_first, in_pause = places < first[:, None], places < start
    frames = tf.where(in_first[..., None], own, tf.where(in_pause[..., None], silence, behind))
    frames = tf.where(chosen[:, None, None], frames, own) * tf.sequence_mask(lengths, width, tf.float32)[..., None]
    counts = tf.cast(batch["tokens_length"], tf.int32)
    tokens, total = _joined_tokens(batch["tokens"], counts, other, chosen)
    return {**batch, "frames": frames, "frames_length": lengths, "tokens": tokens, "tokens_length": total}


def _joined_tokens(
    tokens: tf.Tensor, counts: tf.Tensor, other: tf.Tensor, chosen: tf.Tensor
) -> tuple[tf.Tensor, tf.Tensor]:
    total = tf.where(chosen, counts + tf.gather(counts, other), counts)
    width = tf.maximum(tf.shape(tokens)[1], (tf.reduce_max(total) + 7) // 8 * 8)
    own = tf.pad(tokens, [[0, 0], [0, width - tf.shape(tokens)[1]]])
    places = tf.range(width)[None]
    behind = tf.gather(tf.gather(own, other), tf.clip_by_value(places - counts[:, None], 0, width - 1), batch_dims=1)
    made = tf.where(places < counts[:, None], own, behind)
    return tf.where(places < total[:, None], made, 0), total


def _quietest(frames: tf.Tensor, lengths: tf.Tensor) -> tf.Tensor:
    """Returns the frame of least energy of each row, float32 [rows, mels]."""
    energy = tf.reduce_mean(frames, axis=2)
    own = tf.sequence_mask(lengths, tf.shape(frames)[1])
    return tf.gather(frames, tf.argmin(tf.where(own, energy, 1e9), axis=1), batch_dims=1)


def _warped(
    frames: tf.Tensor, lengths: tf.Tensor, needed: tf.Tensor, changes: Changes, seed: tf.Tensor, rate: int
) -> tuple[tf.Tensor, tf.Tensor]:
    """Changes the speed and the frequencies of each row, by linear interpolation."""
    rows, time, mels = tf.shape(frames)[0], tf.shape(frames)[1], frames.shape[2]
    speed = 1.0 + changes.speed * (2.0 * _uniform([rows], seed, 0) - 1.0)
    after = tf.cast(tf.cast(lengths, tf.float32) / speed, tf.int32)
    fits = after >= needed
    speed, after = tf.where(fits, speed, 1.0), tf.where(fits, after, lengths)
    width = tf.maximum(time, (tf.reduce_max(after) + 7) // 8 * 8)
    places = tf.cast(tf.range(width), tf.float32)[None] * speed[:, None]
    last = tf.cast(tf.maximum(lengths - 1, 0), tf.float32)[:, None]
    frames = _interpolated(frames, tf.minimum(places, last))
    if changes.tract:
        factor = 1.0 + changes.tract * (2.0 * _uniform([rows], seed, 1) - 1.0)
        low, high = _mel(LOWEST_HERTZ), _mel(rate / 2)
        step = (high - low) / (mels + 1)
        centres = low + step * tf.range(1.0, mels + 1.0)
        moved = _mel(factor[:, None] * 700.0 * (tf.exp(centres / 1127.0) - 1.0)[None])
        bands = tf.clip_by_value((moved - low) / step - 1.0, 0.0, mels - 1.0)
        frames = tf.transpose(_interpolated(tf.transpose(frames, [0, 2, 1]), bands), [0, 2, 1])
    return frames * tf.sequence_mask(after, width, tf.float32)[..., None], after


def _interpolated(values: tf.Tensor, places: tf.Tensor) -> tf.Tensor:
    """Returns values [rows, n, ...] at places between their indices, float32 [rows, m]."""
    below = tf.floor(places)
    share = (places - below)[..., None]
    first = tf.cast(below, tf.int32)
    second = tf.minimum(first + 1, tf.shape(values)[1] - 1)
    return tf.gather(values, first, batch_dims=1) * (1.0 - share) + tf.gather(values, second, batch_dims=1) * share


def _mel(hertz: tf.Tensor | float) -> tf.Tensor:
    return 1127.0 * tf.math.log(1.0 + tf.convert_to_tensor(hertz, tf.float32) / 700.0)


def _with_noise(frames: tf.Tensor, lengths: tf.Tensor, changes: Changes, seed: tf.Tensor) -> tf.Tensor:
    """Adds noise of a sloped spectrum: energies add up, and those of noise fluctuate as those of a few frames do."""
    rows, mels = tf.shape(frames)[0], frames.shape[2]
    own = tf.sequence_mask(lengths, tf.shape(frames)[1], tf.float32)[..., None]
    # The level of a recording: the mean of its energies, not of their logarithms.
    count = tf.maximum(tf.cast(lengths, tf.float32), 1.0) * float(mels)
    level = tf.math.log(tf.reduce_sum(tf.exp(frames) * own, axis=[1, 2]) / count + 1.0)
    distance = changes.snr[0] + (changes.snr[1] - changes.snr[0]) * _uniform([rows], seed, 0)
    slope = (_uniform([rows], seed, 1) - 0.5)[:, None] * 4.0 * tf.linspace(-1.0, 1.0, mels)[None]
    base = (level - distance * (2.302585 / 10.0))[:, None] + slope
    shaken = 0.6 * tf.random.stateless_normal(tf.shape(frames), _seed(seed, 7))
    noise = base[:, None] + shaken
    noisy = tf.maximum(frames, noise) + tf.math.log1p(tf.exp(-tf.abs(frames - noise)))
    chosen = _uniform([rows], seed, 2) < changes.noise
    return tf.where(chosen[:, None, None], noisy, frames) * own


def _masked(frames: tf.Tensor, lengths: tf.Tensor, changes: Changes, seed: tf.Tensor) -> tf.Tensor:
    """Sets some bands and some frames to the mean of the row, as SpecAugment does."""
    rows, time, mels = tf.shape(frames)[0], tf.shape(frames)[1], frames.shape[2]
    own = tf.sequence_mask(lengths, time, tf.float32)[..., None]
    count = tf.maximum(tf.cast(lengths, tf.float32), 1.0)[:, None, None]
    mean = tf.reduce_sum(frames * own, axis=1, keepdims=True) / count
    hidden = tf.zeros([rows, time, mels], tf.bool)
    for number in range(changes.frequency_masks):
        width = _uniform([rows], seed, 10 + number) * (changes.frequency_width + 1.0)
        hidden |= _span(mels, width, float(mels), _uniform([rows], seed, 40 + number))[:, None]
    for number in range(changes.time_masks):
        most = tf.minimum(float(changes.time_width), changes.time_share * tf.cast(lengths, tf.float32)) + 1.0
        width = _uniform([rows], seed, 70 + number) * most
        length = tf.cast(lengths, tf.float32)
        hidden |= _span(time, width, length, _uniform([rows], seed, 100 + number))[:, :, None]
    return tf.where(hidden, mean, frames) * own


def _span(size: int | tf.Tensor, width: tf.Tensor, length: float | tf.Tensor, draw: tf.Tensor) -> tf.Tensor:
    """Returns which of `size` places are in a span of whole width that begins anywhere it fits, bool [rows, size]."""
    whole = tf.floor(width)
    start = tf.floor(draw * (length - whole + 1.0))
    places = tf.cast(tf.range(size), tf.float32)[None]
    return (places >= start[:, None]) & (places < (start + whole)[:, None])


def _seed(seed: tf.Tensor, site: int) -> tf.Tensor:
    return seed + tf.constant([0, site * 104729], tf.int32)


def _uniform(shape: list[tf.Tensor], seed: tf.Tensor, site: int) -> tf.Tensor:
    return tf.random.stateless_uniform(shape, seed + tf.constant([site * 7919, 0], tf.int32))
