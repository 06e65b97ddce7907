"""Changes of training batches: drawn from the seed only, within the lengths, and never too short for the transcript."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from lstmlm.audio.augment import Changes, changed, joined, steps_needed

ALL = Changes(
    join=0.5, speed=0.3, tract=0.1, noise=0.5, frequency_masks=2, frequency_width=6, time_masks=2, time_width=9
)
LENGTHS, TOKENS = [30, 7, 55, 12, 0], [[5, 6, 6], [7], [5, 5, 8, 9], [4, 6], []]


@pytest.fixture
def batch() -> dict[str, tf.Tensor]:
    draw = np.random.default_rng(1)
    frames = np.zeros([5, 56, 20], np.float32)
    tokens = np.zeros([5, 8], np.int32)
    for row, (length, ids) in enumerate(zip(LENGTHS, TOKENS, strict=True)):
        frames[row, :length] = draw.normal(12, 3, [length, 20])
        tokens[row, : len(ids)] = ids
    arrays = {
        "frames": frames,
        "frames_length": np.array(LENGTHS, np.int32),
        "tokens": tokens,
        "tokens_length": np.array([len(ids) for ids in TOKENS], np.int32),
        "is_example": np.array([1, 1, 1, 1, 0], np.int32),
    }
    return {name: tf.constant(array) for name, array in arrays.items()}


def change(batch, changes, seed, stride=2):
    found = changed(batch, changes, tf.constant([3, seed]), rate=8000, stride=stride)
    return {name: values.numpy() for name, values in found.items()}


def test_the_seed_decides_everything(batch) -> None:
    one, same, other = change(batch, ALL, 1), change(batch, ALL, 1), change(batch, ALL, 2)
    for name, values in one.items():
        np.testing.assert_array_equal(values, same[name])
    assert one["frames"].shape != other["frames"].shape or (one["frames"] != other["frames"]).any()


def test_without_changes_a_batch_stays_as_it_is(batch) -> None:
    for name, values in change(batch, Changes(), 1).items():
        np.testing.assert_array_equal(values, batch[name].numpy())


@pytest.mark.parametrize("seed", range(6))
def test_rows_stay_within_their_lengths_and_can_hold_their_tokens(batch, seed: int) -> None:
    found = change(batch, ALL, seed)
    assert np.isfinite(found["frames"]).all()
    needed = steps_needed(tf.constant(found["tokens"])).numpy()
    for row, length in enumerate(found["frames_length"]):
        assert not found["frames"][row, length:].any()
        assert -(-length // 2) >= needed[row]
        assert np.count_nonzero(found["tokens"][row]) == found["tokens_length"][row]
    assert found["frames_length"][4] == 0  # a row of padding is joined to nothing, and nothing to it


def test_a_joined_row_is_two_rows_with_a_pause(batch) -> None:
    found = {name: values.numpy() for name, values in joined(batch, 1.0, tf.constant([1, 1])).items()}
    grown = [row for row in range(4) if found["frames_length"][row] > LENGTHS[row]]
    assert grown
    for row in grown:
        own, tokens = LENGTHS[row], TOKENS[row]
        np.testing.assert_array_equal(found["frames"][row, :own], batch["frames"].numpy()[row, :own])
        rest = found["tokens"][row, len(tokens) : found["tokens_length"][row]].tolist()
        other = TOKENS.index(rest)
        assert found["tokens"][row, : len(tokens)].tolist() == tokens
        end = found["frames_length"][row]
        behind = found["frames"][row, end - LENGTHS[other] : end]
        np.testing.assert_array_equal(behind, batch["frames"].numpy()[other, : LENGTHS[other]])
        assert 0 <= end - own - LENGTHS[other] < 40


def test_a_mask_covers_bands_and_frames_with_the_mean(batch) -> None:
    masks = Changes(frequency_masks=1, frequency_width=6, time_masks=1, time_width=9)
    before, widths = batch["frames"].numpy()[2, :55], []
    for seed in range(8):
        after = change(batch, masks, seed)["frames"][2, :55]
        hidden = before != after
        bands, frames = hidden.all(axis=0), hidden.all(axis=1)
        widths.append((bands.sum(), frames.sum()))
        np.testing.assert_array_equal(hidden, bands[None] | frames[:, None])
        np.testing.assert_allclose(after[hidden], np.broadcast_to(before.mean(axis=0), hidden.shape)[hidden], rtol=1e-5)
    for most, found in zip((6, 9), zip(*widths, strict=True), strict=True):
        assert max(found) <= most
        assert len(set(found)) > 2


def test_noise_is_added_as_energy(batch) -> None:
    found = change(batch, Changes(noise=1.0, snr=(10.0, 10.0)), 1)["frames"]
    own = batch["frames"].numpy()
    assert (found[2, :55] >= own[2, :55] - 1e-5).all()
    assert (found[2, :55] > own[2, :55] + 0.5).any()
