"""Checks that the counts of a corpus add up and that its splits are not empty."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from lstmlm.corpus.report.dead_hints import dead_hint
from lstmlm.corpus.report.summary import Account
from lstmlm.corpus.sources.found import CorpusFile
from lstmlm.errors import UserError
from lstmlm.recipe.recipe import Recipe


def check_sum(counts: dict[str, Any]) -> None:
    """Checks that every row is accounted for.

    Raises:
        RuntimeError: The counts do not add up.
    """
    if counts["in"] != counts["kept"] + sum(counts["dropped"].values()) + counts["dead"]:
        raise RuntimeError(f"rows are unaccounted for: {counts}")


def check_usable(
    counts: dict[str, Any],
    account: Account,
    recipe: Recipe,
    *,
    held_out: bool,
    files: Sequence[CorpusFile] = (),
) -> None:
    """Checks that a corpus can be used.

    Args:
        counts: See `lstmlm.corpus.report.summary.totals`.
        account: The account of all blocks.
        recipe: The run.
        held_out: Whether there must be a valid split.
        files: The corpus, for advice.

    Raises:
        UserError: Too many dead letters, or a split without records.
    """
    corpus = recipe.corpus
    where = corpus.place(corpus.train)
    if counts["dead"] > corpus.max_dead_fraction * counts["in"]:
        raise _too_many_dead(counts, account, recipe, files)
    if not counts["kept"]:
        if counts["dropped"].keys() - {"blank"}:
            reasons = reasons_of(counts["dropped"])
            what = f"the corpus is empty after cleaning: all {counts['in']} rows were dropped ({reasons})"
            raise UserError(what, where=where, hint="Loosen the rules of the corpus section")
        blank = f"; {counts['in']} rows have no text" if counts["in"] else ""
        hint = "Check corpus.train, corpus.source and corpus.target"
        raise UserError(f"the corpus is empty: no line became a record{blank}", where=where, hint=hint)
    filled = account.kept
    for split in ("train", "valid") if held_out else ("train",):
        lost = dict(sorted(account.lost.get(split, {}).items()))
        if split not in filled and lost:
            raise _emptied(split, lost, recipe)
    if "train" not in filled:
        hint = "Check corpus.train" if corpus.valid is not None else "Lower corpus.valid_fraction"
        raise UserError("the train split is empty", where=where, hint=hint)
    if held_out and "valid" not in filled:
        if corpus.valid is not None:
            raise UserError("the valid split is empty", where=corpus.place(corpus.valid), hint="Check the file")
        hint = "Raise corpus.valid_fraction, add records, or name a file in corpus.valid"
        raise UserError("the valid split is empty", where=where, hint=hint)


def add_early_losses(splits: dict[str, dict[str, Any]], account: Account) -> None:
    """Adds what the first pass dropped of each split to `dropped` of `splits`, by reason."""
    for split, reasons in account.lost.items():
        if split in splits:
            splits[split]["dropped"].update(reasons)
    for facts in splits.values():
        facts["dropped"] = dict(sorted(facts["dropped"].items()))


def check_left(splits: Mapping[str, Mapping[str, Any]], recipe: Recipe) -> None:
    """Checks that a split that had records before the last pass has some after it.

    Raises:
        UserError: All records of a split were dropped.
    """
    for split, facts in splits.items():
        if not facts["records"]:
            raise _emptied(split, facts["dropped"], recipe)


def reasons_of(dropped: Mapping[str, int]) -> str:
    """Returns reasons with their counts as text: `duplicate_exact 5, language 2`."""
    return ", ".join(f"{reason} {count}" for reason, count in dropped.items())


def _emptied(split: str, dropped: Mapping[str, int], recipe: Recipe) -> UserError:
    corpus = recipe.corpus
    named = corpus.valid if split == "valid" and corpus.valid is not None else corpus.train
    what = f"the {split} split is empty: all of its records were dropped ({reasons_of(dropped)})"
    return UserError(what, where=corpus.place(named), hint="Loosen the rules that dropped them, or add other records")


def _too_many_dead(counts: dict[str, Any], account: Account, recipe: Recipe, files: Sequence[CorpusFile]) -> UserError:
    allowed = recipe.corpus.max_dead_fraction
    reason, often = max(counts["dead_by_reason"].items(), key=lambda item: item[1])
    assert account.first_dead is not None
    first = account.first_dead[2]
    what = (
        f"{counts['dead']} of {counts['in']} lines are malformed ({counts['dead'] / counts['in']:.2%}, and "
        f"corpus.max_dead_fraction allows {allowed:.2%}), most often ({often}): {reason}; here: {first['reason']}"
    )
    where = f"{recipe.corpus.place(first['file'])}:{first['line']}"
    return UserError(what, where=where, hint=dead_hint(reason, first, counts, files, recipe))
