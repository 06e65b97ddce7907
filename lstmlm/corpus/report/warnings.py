"""Warnings about a finished corpus: quality rules that do not fit it, a valid split that lost many records."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from lstmlm.corpus.report.accounts import reasons_of
from lstmlm.corpus.steps.quality.rule_set import rule_set
from lstmlm.recipe.recipe import Recipe

MOST = 0.5
"""Share of the rows that one quality rule may drop before it is reported."""


def warnings(
    counts: Mapping[str, Any], splits: Mapping[str, Mapping[str, Any]], recipe: Recipe, large: int
) -> list[str]:
    """Returns the warnings, a sentence each.

    Args:
        counts: See `lstmlm.corpus.report.summary.totals`.
        splits: `records` and `dropped` of each split.
        recipe: The run.
        large: Records with more bytes than a shard should have.
    """
    found = [*rule_warnings(recipe), *_strict_rules(counts, recipe), *_too_long(counts), *_thinned(splits, recipe)]
    if large:
        size = recipe.corpus.shard_bytes
        found.append(f"{large} records have more than {size} bytes (corpus.shard_bytes): their shards are larger")
    return found


def rule_warnings(recipe: Recipe) -> Iterator[str]:
    """Yields what a user should know of the quality rules, before any text is read."""
    for name in recipe.corpus.quality:
        yield from rule_set(name).warnings(recipe.corpus)


def _strict_rules(counts: Mapping[str, Any], recipe: Recipe) -> Iterator[str]:
    prefixes = tuple(rule_set(name).prefix for name in recipe.corpus.quality)
    for reason, count in counts["dropped"].items():
        if reason.startswith(prefixes) and count > MOST * counts["in"]:
            yield f"the quality rule {reason} dropped {count} of {counts['in']} rows: it may not fit this corpus"


def _too_long(counts: Mapping[str, Any]) -> Iterator[str]:
    for reason, count in counts["dead_by_reason"].items():
        if reason.startswith("longer than"):
            yield f"{count} of {counts['in']} rows are {reason} (corpus.max_line_bytes) and became dead letters"


def _thinned(splits: Mapping[str, Mapping[str, Any]], recipe: Recipe) -> Iterator[str]:
    valid = splits.get("valid")
    if recipe.corpus.valid is None or valid is None:
        return
    dropped = {reason: count for reason, count in valid["dropped"].items() if reason != "blank"}
    if dropped:
        lost = sum(dropped.values())
        yield f"{lost} of {lost + valid['records']} records of the valid split were dropped ({reasons_of(dropped)})"
