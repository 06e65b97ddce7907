"""Whether a corpus adds up and can be used."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from lstmlm.corpus.summary import Summary
from lstmlm.errors import UserError
from lstmlm.recipe import Recipe


def check_sum(counts: dict[str, Any]) -> None:
    """Checks that every row is accounted for.

    Raises:
        RuntimeError: The counts do not add up.
    """
    if counts["in"] != counts["kept"] + sum(counts["dropped"].values()) + counts["dead"]:
        raise RuntimeError(f"rows are unaccounted for: {counts}")


def check_usable(counts: dict[str, Any], summaries: Sequence[Summary], recipe: Recipe, *, held_out: bool) -> None:
    """Checks that a corpus is worth going on with.

    Args:
        counts: See `lstmlm.corpus.summary.totals`.
        summaries: The accounts of all blocks, in corpus order.
        recipe: The run.
        held_out: Whether there must be a valid split.

    Raises:
        UserError: Too many dead letters, or a split without records.
    """
    corpus = recipe.corpus
    where = corpus.place(corpus.train)
    if counts["dead"] > corpus.max_dead_fraction * counts["in"]:
        raise _too_many_dead(counts, summaries, recipe)
    if not counts["kept"]:
        if counts["dropped"].keys() - {"blank"}:
            reasons = reasons_of(counts["dropped"])
            what = f"nothing is left of the corpus: all {counts['in']} rows were dropped ({reasons})"
            raise UserError(what, where=where, cure="Loosen the rules of the corpus section")
        raise UserError("the corpus is empty: no line became a record", where=where, cure="Check corpus.train")
    filled = {split for summary in summaries for split in summary.kept}
    if "train" not in filled:
        cure = "Check corpus.train" if corpus.valid is not None else "Lower corpus.valid_fraction"
        raise UserError("the train split is empty", where=where, cure=cure)
    if held_out and "valid" not in filled:
        if corpus.valid is not None:
            raise UserError("the valid split is empty", where=corpus.place(corpus.valid), cure="Check the file")
        cure = "Raise corpus.valid_fraction, add records, or name a file in corpus.valid"
        raise UserError("the valid split is empty", where=where, cure=cure)


def add_early_losses(splits: dict[str, dict[str, Any]], summaries: Sequence[Summary]) -> None:
    """Adds what the first pass dropped of each split to `dropped` of `splits`, by reason."""
    for summary in summaries:
        for split, reasons in summary.lost.items():
            if split in splits:
                splits[split]["dropped"].update(reasons)
    for facts in splits.values():
        facts["dropped"] = dict(sorted(facts["dropped"].items()))


def check_left(splits: Mapping[str, Mapping[str, Any]], recipe: Recipe) -> None:
    """Checks that a split that had records before the last pass has some after it.

    Raises:
        UserError: All records of a split were dropped.
    """
    corpus = recipe.corpus
    for split, facts in splits.items():
        if not facts["records"]:
            named = corpus.valid if split == "valid" and corpus.valid is not None else corpus.train
            what = f"the {split} split is empty: all of its records were dropped ({reasons_of(facts['dropped'])})"
            cure = "Loosen corpus.duplicates, or give it other records"
            raise UserError(what, where=corpus.place(named), cure=cure)


def reasons_of(dropped: Mapping[str, int]) -> str:
    """Returns reasons with their counts as text: `duplicate_exact 5, language 2`."""
    return ", ".join(f"{reason} {count}" for reason, count in dropped.items())


def _too_many_dead(counts: dict[str, Any], summaries: Sequence[Summary], recipe: Recipe) -> UserError:
    allowed = recipe.corpus.max_dead_fraction
    reason, often = max(counts["dead_by_reason"].items(), key=lambda item: item[1])
    first = next(summary.first_dead for summary in summaries if summary.first_dead is not None)
    what = (
        f"{counts['dead']} of {counts['in']} lines are malformed ({counts['dead'] / counts['in']:.2%}, and "
        f"corpus.max_dead_fraction allows {allowed:.2%}), most often ({often}): {reason}; here: {first['reason']}"
    )
    where = f"{recipe.corpus.place(first['file'])}:{first['line']}"
    return UserError(what, where=where, cure=_dead_hint(counts, str(first["reason"])))


def _dead_hint(counts: Mapping[str, Any], reason: str) -> str:
    """Returns what to do about too many dead letters: a field named in the reason, or a share that is enough."""
    if counts["dead"] == counts["in"]:
        named = "corpus.source, corpus.target and corpus.id" if "column" in reason else "corpus.train"
        return f"No line can be used: check {named}"
    return f"Correct the corpus, or set corpus.max_dead_fraction to {enough(counts['dead'], counts['in'])}"


def enough(part: int, whole: int) -> float:
    """Returns a share of two digits or more that a part of a whole is within."""
    digits = 2
    while (share := math.ceil(part / whole * 10**digits) / 10**digits) * whole < part:
        digits += 1
    return min(1.0, share)
