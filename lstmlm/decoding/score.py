"""Computes the log-probability of given texts, token by token."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from lstmlm.decoding.backend import Backend, Ints, pad
from lstmlm.decoding.search.request import SearchRequest
from lstmlm.decoding.slots import Feed, Slots
from lstmlm.tokenizer.special import END

TOKENS = 512
"""Tokens whose softmax is computed at once: bounds the memory."""

LEAST_ROWS = 8
"""Rows are not left out below that many, at the end of the input."""

Totals = npt.NDArray[np.float64]
ByToken = list[npt.NDArray[np.float32]]


@dataclasses.dataclass(frozen=True, slots=True)
class Score:
    """What the model makes of a text.

    Attributes:
        log_probability: Natural logarithm of the probability of all its tokens.
        tokens: Number of the tokens, *end* included.
        by_token: The same logarithm for each of the tokens.
    """

    log_probability: float
    tokens: int
    by_token: tuple[float, ...] = ()


def score(
    backend: Backend, requests: Sequence[SearchRequest], targets: Sequence[Sequence[int]], rows: int
) -> list[Score]:
    """Scores the texts that follow inputs.

    Args:
        backend: The model.
        requests: Sources closed by *end*, or prompts; an empty prompt for a text by itself.
        targets: The text that follows each, closed by *end* where that is to count.
        rows: Rows computed together.

    Returns:
        A score for every request.
    """
    by_token = [np.zeros(len(target), np.float32) for target in targets]
    if getattr(backend, "scores_texts", False) and not any(request.ids for request in requests):
        totals = _whole_texts(backend, targets, rows, by_token)
    else:
        totals = _step_by_step(backend, requests, targets, rows, by_token)
    return [Score(float(total), len(each), tuple(each.tolist())) for total, each in zip(totals, by_token, strict=True)]


def _whole_texts(backend: Any, targets: Sequence[Sequence[int]], rows: int, by_token: ByToken) -> Totals:
    """Scores texts by themselves, many tokens at once; texts of like length together. Fills `by_token`."""
    totals = np.zeros(len(targets))
    order = sorted(range(len(targets)), key=lambda n: -len(targets[n]))
    for first in range(0, len(order), rows):
        some = [n for n in order[first : first + rows] if len(targets[n])]
        state = backend.encode(np.zeros([len(some), 1], np.int64), np.zeros(len(some), np.int64)).state if some else []
        place = 0
        while some:
            chunk = max(1, TOKENS // len(some))
            wanted, lengths = pad([targets[n][place : place + chunk] for n in some], chunk)
            before = [targets[n][place - 1] if place else END for n in some]
            fed = np.concatenate([np.array(before, np.int64)[:, None], wanted[:, :-1]], axis=1)
            found, state = backend.score_text(state, fed, wanted)
            totals[some] += np.where(np.arange(chunk) < lengths[:, None], found, 0).sum(axis=1, dtype=np.float64)
            for n, values, length in zip(some, found, lengths.tolist(), strict=True):
                by_token[n][place : place + length] = values[:length]
            place += chunk
            left = sum(len(targets[n]) > place for n in some)  # the longest come first
            some, state = some[:left], [array[:left] for array in state]
    return totals


def _step_by_step(
    backend: Backend, requests: Sequence[SearchRequest], targets: Sequence[Sequence[int]], rows: int, by_token: ByToken
) -> Totals:
    """Scores texts that follow inputs; a finished one leaves its row to the next. Fills `by_token`."""
    feed, slots = Feed(backend, requests, rows), Slots(backend, rows, 1)
    totals, place = np.zeros(len(requests)), np.zeros(rows, np.int64)
    free = np.arange(rows)
    while True:
        free = _fill(free, feed, slots, place, targets)
        busy = np.flatnonzero(slots.owners >= 0)
        if not len(busy):
            return totals
        assert slots.rows is not None
        if len(slots.owners) > LEAST_ROWS and 2 * len(busy) <= len(slots.owners):  # the end of the input
            kept = np.concatenate([busy, free[: max(0, LEAST_ROWS - len(busy))]])
            slots.keep(kept)
            place = place[kept]
            busy, free = np.flatnonzero(slots.owners >= 0), np.flatnonzero(slots.owners < 0)
        wanted = np.zeros(len(slots.owners), np.int64)
        wanted[busy] = [targets[slots.owners[slot]][place[slot]] for slot in busy.tolist()]
        found = backend.score(slots.rows, slots.tokens, wanted)
        totals[slots.owners[busy]] += found[busy]
        for slot in busy.tolist():
            by_token[slots.owners[slot]][place[slot]] = found[slot]
        slots.tokens = wanted
        place[busy] += 1
        done = np.array([slot for slot in busy.tolist() if place[slot] == len(targets[slots.owners[slot]])], np.int64)
        slots.owners[done] = -1
        free = np.concatenate([free, done])


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
