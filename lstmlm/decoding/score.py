"""Scores given texts: how likely the model finds them, token by token."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from lstmlm.decoding.backend import Backend, Ints
from lstmlm.decoding.hypothesis import Request
from lstmlm.decoding.slots import Feed, Slots


@dataclasses.dataclass(frozen=True, slots=True)
class Score:
    """What the model makes of a text.

    Attributes:
        log_probability: Natural logarithm of the probability of all its tokens.
        tokens: Number of the tokens, *end* included.
    """

    log_probability: float
    tokens: int


def score(backend: Backend, requests: Sequence[Request], targets: Sequence[Sequence[int]], rows: int) -> list[Score]:
    """Scores the texts that follow inputs.

    Args:
        backend: The model.
        requests: Sources closed by *end*, or prompts; an empty prompt for a text by itself.
        targets: The text that follows each, closed by *end* where that is to count.
        rows: Rows computed together.

    Returns:
        A score for every request.
    """
    feed, slots = Feed(backend, requests, rows), Slots(backend, rows, 1)
    totals, place = np.zeros(len(requests)), np.zeros(rows, np.int64)
    free = np.arange(rows)
    while True:
        free = _fill(free, feed, slots, place, targets)
        busy = np.flatnonzero(slots.owners >= 0)
        if not len(busy):
            break
        assert slots.rows is not None
        wanted = np.zeros(rows, np.int64)
        wanted[busy] = [targets[slots.owners[slot]][place[slot]] for slot in busy.tolist()]
        found = backend.score(slots.rows, slots.tokens, wanted)
        totals[slots.owners[busy]] += found[busy]
        slots.tokens = wanted
        place[busy] += 1
        done = np.array([slot for slot in busy.tolist() if place[slot] == len(targets[slots.owners[slot]])], np.int64)
        slots.owners[done] = -1
        free = np.concatenate([free, done])
    return [Score(float(total), len(target)) for total, target in zip(totals, targets, strict=True)]


def _fill(free: Ints, feed: Feed, slots: Slots, place: Ints, targets: Sequence[Sequence[int]]) -> Ints:
    """Gives free slots to waiting inputs that have a text to score; returns the slots that are still free."""
    while len(free):
        found = feed.take(len(free))
        if found is None:
            break
        waiting, chosen = found
        chosen = np.array([n for n in chosen.tolist() if len(targets[waiting.owners[n]])], np.int64)
        taken, free = free[: len(chosen)], free[len(chosen) :]
        slots.place(taken, waiting, chosen)
        place[taken] = 0
    return free
