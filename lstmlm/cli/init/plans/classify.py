"""Labels: few values that come again and again, or spans of a text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from lstmlm.cli.init.columns import input_column, is_label, likely_first
from lstmlm.cli.init.look import Look
from lstmlm.cli.init.plan import Guess, Plan, Sections, Size
from lstmlm.cli.init.vocabulary import length, vocabulary


def _guesses(seen: Look, source: str | None, target: str | None) -> Iterator[Guess]:
    first = input_column(seen, source)
    if first is None:
        return
    columns = [seen.columns[target]] if target else [one for one in seen.columns.values() if one.name != first.name]
    label = next((one for one in likely_first(columns) if is_label(one, given=target is not None)), None)
    if label is not None:
        kind = {"spans": "tokens", "texts": "many"}.get(label.kind, "one")
        why = "a column of spans" if kind == "tokens" else f"{label.name!r} has {label.distinct} different values"
        yield Guess(first.name, label.name, 3, why, label_kind=kind)
    elif target:
        yield Guess(first.name, target, 0, f"{target!r} was named")


def _size(seen: Look, found: Guess) -> Size:
    longest, spans = length(seen.columns[found.source].longest, 256), found.label_kind == "tokens"
    flops = 6 * 2 * 4 * (128 + 64) * 64
    sections: Sections = {
        "task_options": {} if spans else {"ngrams": 2, "ngram_buckets": 100_000, "pooled_dropout": 0.5},
        # Pieces, since a word that is in no text of train would become bytes, which nothing was learnt of.
        "tokenizer": vocabulary(seen, found),
        "examples": {"max_source": longest},
        "model": {"embedding": 128, "encoder_units": 64, "dropout": 0.4, "embedding_dropout": 0.1},
        "training": {"batch": 64, "learning_rate": 0.003, "ema": 0.99, "metric": "accuracy"},
    }
    return Size(
        sections,
        step_flops=flops * 64 * longest * 4,  # small products of matrices
        epoch_steps=max(1.0, seen.rows / 64),
        most_epochs=20 if spans else 8,
    )


def _fields(seen: Look, found: Guess, languages: Mapping[str, str]) -> Sections:
    return {"task_options": {"label": found.target, "kind": found.label_kind}}


PLAN = Plan(_guesses, _size, _fields)
