"""A language model of the longest texts of a corpus."""

from __future__ import annotations

from collections.abc import Iterator

from lstmlm.cli.init.columns import input_column
from lstmlm.cli.init.look import Look
from lstmlm.cli.init.plan import Guess, Plan, Size
from lstmlm.cli.init.vocabulary import vocabulary


def _guesses(seen: Look, source: str | None, target: str | None) -> Iterator[Guess]:
    first = input_column(seen, source)
    if first is not None:
        yield Guess(first.name, None, 0.5, f"{first.name!r} is the text")


def _size(seen: Look, found: Guess) -> Size:
    words, large = vocabulary(seen, found), seen.characters > 3_000_000
    embedding, units, batch, window = (256, 512, 32, 64) if large else (128, 256, 16, 48)
    flops = 6 * (4 * (embedding + units) * units + embedding * units + embedding * words["vocabulary"])
    sections = {
        "tokenizer": words,
        "examples": {"window": window},
        "model": {"embedding": embedding, "units": units, "layers": 1, "dropout": 0.25 if large else 0.4},
        "training": {
            "batch": batch,
            "learning_rate": 0.003 if large else 0.005,
            "weight_decay": 0.05,
            "ema": 0.998 if large else 0.99,
        },
    }
    tokens = seen.characters / 3.5
    return Size(
        sections,
        step_flops=flops * batch * window,
        epoch_steps=max(1.0, tokens / (batch * window)),
        most_epochs=12 if large else 30,
        shared_out=True,
    )


PLAN = Plan(_guesses, _size)
