"""Decoding against plain loops over a toy model whose next token depends on the last one."""

import numpy as np
import pytest
import tensorflow as tf

from lstmlm.models.graph_search import END, Options, choose, decode, uniform

VOCABULARY = 7
GREEDY = Options(sample=False, temperature=1.0, max_tokens=6)


def markov(seed=0):
    table = np.random.default_rng(seed).normal(size=[VOCABULARY, VOCABULARY]).astype(np.float32) * 2
    return table, lambda state, token: (tf.gather(tf.constant(table), token), state)


def run(prompts, options, seeds=None, seed=0):
    _, step = markov(seed)
    longest = max(map(len, prompts))
    padded = [list(p) + [0] * (longest - len(p)) for p in prompts]
    seeds = seeds or list(range(len(prompts)))
    lengths = [len(p) for p in prompts]
    out = decode(step, (), tf.constant(padded), tf.constant(lengths), tf.constant(seeds, tf.int64), options)
    return out.numpy().tolist()


def greedy_loop(table, prompt, most):
    token, out = prompt[-1], []
    while len(out) < most:
        row = table[token].copy()
        row[0] = -np.inf
        token = int(row.argmax())
        if token == END:
            break
        out.append(token)
    return out + [0] * (most - len(out))


@pytest.mark.parametrize("seed", range(8))
def test_greedy_equals_a_plain_loop(seed):
    table, _ = markov(seed)
    prompts = [[4], [5, 6], [1, 2, 4, 6], [2]]
    assert run(prompts, GREEDY, seed=seed) == [greedy_loop(table, p, 6) for p in prompts]


def test_nothing_follows_end():
    for row in run([[n] for n in range(1, VOCABULARY)], Options(True, 1.5, 20)):
        assert END not in row
        assert 0 not in np.trim_zeros(row, "b")


def test_a_row_does_not_depend_on_the_others():
    prompts, seeds = [[4], [5, 6, 1], [2, 2]], [11, 12, 13]
    options = Options(sample=True, temperature=1.2, max_tokens=9)
    together = run(prompts, options, seeds)
    separate = [run([p], options, [s])[0] for p, s in zip(prompts, seeds, strict=True)]
    assert together == separate


def test_a_seed_always_gives_the_same_draws_and_another_seed_others():
    options = Options(sample=True, temperature=2.0, max_tokens=30)
    assert run([[4]], options, [5]) == run([[4]], options, [5])
    assert len({tuple(run([[4]], options, [s])[0]) for s in range(10)}) > 5


def test_draws_follow_the_distribution():
    rows = 20_000
    logits = np.array([0.0, 1.0, 2.0, 0.5, -1.0], np.float32)
    options = Options(sample=True, temperature=0.7, max_tokens=1)
    drawn = choose(
        tf.tile(tf.constant(logits)[None], [rows, 1]), tf.range(rows, dtype=tf.int64), tf.zeros(rows, tf.int32), options
    ).numpy()
    expected = np.exp(logits[1:] / 0.7)
    expected = np.concatenate([[0.0], expected / expected.sum()])  # padding is never drawn
    np.testing.assert_allclose(np.bincount(drawn, minlength=5) / rows, expected, atol=0.015)


def splitmix(seed, place):
    mask = 2**64 - 1
    z = (seed + (place + 2) * 0x9E3779B97F4A7C15) & mask
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & mask
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & mask
    return ((z ^ (z >> 31)) >> 40) / 2**24


def test_the_uniform_numbers_are_splitmix64():
    seeds, places = [0, 1, 2**62 + 17, 99], [0, 1, 5, 1000]
    ours = uniform(tf.constant(seeds, tf.int64), tf.constant(places)).numpy()
    np.testing.assert_array_equal(ours, [np.float32(splitmix(s, p)) for s, p in zip(seeds, places, strict=True)])
