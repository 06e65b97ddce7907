"""What a user should know about a finished corpus: rules that do not fit it, a valid split that was thinned."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from lstmlm.corpus.report.accounts import reasons_of
from lstmlm.recipe.recipe import Recipe

MOST = 0.5
"""Share of the rows that one quality rule may drop before it is reported."""

_RULE_SETS = ("gopher", "c4", "fineweb", "pairs")


def warnings(counts: Mapping[str, Any], splits: Mapping[str, Mapping[str, Any]], recipe: Recipe) -> list[str]:
    """Returns the warnings, a sentence each.

    Args:
        counts: See `lstmlm.corpus.report.summary.totals`.
        splits: `records` and `dropped` of each split.
        recipe: The run.
    """
    return [*rules_for_english(recipe), *_strict_rules(counts), *_too_long(counts), *_thinned(splits, recipe)]


def rules_for_english(recipe: Recipe) -> Iterator[str]:
    """Yields a warning where rules for English are used on text that may be in another language."""
    languages = recipe.corpus.languages
    if "gopher" in recipe.corpus.quality and set(languages) != {"en"}:
        others = [code for code in languages if code != "en"]
        found = f"texts in {', '.join(others)}" if others else "texts in other languages"
        hint = "leave `gopher` out" if others else "set corpus.languages to [en]"
        yield (
            f"the rule set `gopher` is for English: {found} lack its stop words and are dropped as "
            f"gopher_few_stop_words; {hint}"
        )


def _strict_rules(counts: Mapping[str, Any]) -> Iterator[str]:
    for reason, count in counts["dropped"].items():
        if reason.startswith(_RULE_SETS) and count > MOST * counts["in"]:
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
