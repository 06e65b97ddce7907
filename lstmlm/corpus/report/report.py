"""The corpus report: rows read, dropped rows by reason, text lengths and languages."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from lstmlm.corpus.report.page import report_page
from lstmlm.corpus.report.summary import Account
from lstmlm.corpus.steps.privacy.published import scrubbed
from lstmlm.corpus.steps.privacy.scrubber import Scrubber
from lstmlm.recipe.recipe import Recipe

REPORT = "report.json"
PAGE = "report.html"
TOP_LINES = 20


def write_report(
    folder: Path,
    recipe: Recipe,
    facts: dict[str, Any],
    account: Account,
    lines: Sequence[tuple[str, int]],
    scrubber: Scrubber | None = None,
) -> None:
    """Writes `report.json`, and the same as one page of HTML, `report.html`.

    Args:
        folder: Where to.
        recipe: The run.
        facts: `counts`, `splits`, `files`, ... as in the manifest.
        account: The account of all blocks.
        lines: See `histograms`.
        scrubber: Replaces personal data in names of files and in lines that are quoted; None: it stays.
    """
    report = {"name": recipe.name, **scrubbed({**facts, **histograms(account, lines)}, scrubber)}
    text = json.dumps(report, indent=1, ensure_ascii=False)
    (folder / REPORT).write_text(text + "\n", encoding="utf-8")
    (folder / PAGE).write_text(report_page(report), encoding="utf-8")


def histograms(account: Account, lines: Sequence[tuple[str, int]]) -> dict[str, Any]:
    """Puts the histograms of all blocks in order.

    Args:
        account: The account of all blocks.
        lines: The most repeated lines with how often they occur, the most frequent first.

    Returns:
        `lengths` ([fewest characters, most characters, records] for each power of two), `repeated_lines` ([line,
        times], counted inside blocks where a line occurs at least twice, so a lower bound), and every other tally
        (`language`, `privacy`, ...) as key -> count, the most frequent first.
    """
    lengths = sorted((int(bits), count) for bits, count in account.tallies.get("lengths", {}).items())
    found = {
        name: dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))
        for name, counts in account.tallies.items()
        if name != "lengths"
    }
    return {
        "lengths": [[(1 << bits) >> 1, (1 << bits) - 1, count] for bits, count in lengths],
        "repeated_lines": [list(line) for line in lines],
        **dict(sorted(found.items())),
    }
