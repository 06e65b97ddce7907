"""Translations: an output about as long as the input."""

from __future__ import annotations

from collections.abc import Iterator

from lstmlm.cli.init.look import Look
from lstmlm.cli.init.pairs import pair, pair_fields, pair_size
from lstmlm.cli.init.plan import Guess, Plan


def _guesses(seen: Look, source: str | None, target: str | None) -> Iterator[Guess]:
    found = pair(seen, source, target)
    if found is not None:
        text, other, shorter = found
        how = "much shorter than" if shorter else "about as long as"
        yield Guess(text, other, 1 if shorter else 2, f"{other!r} is {how} {text!r}")


PLAN = Plan(_guesses, pair_size, pair_fields)
