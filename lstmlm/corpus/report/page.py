"""Renders the corpus report as one self-contained HTML page, with bar charts in SVG."""

from __future__ import annotations

import html
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

BAR_WIDTH = 360
ROW_HEIGHT = 20
LABEL_WIDTH = 260
MOST_BARS = 30

_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; color: #222; max-width: 62rem; margin: 2rem auto; padding: 0 1rem }
h1 { font-size: 1.5rem } h2 { font-size: 1.1rem; margin: 2rem 0 .5rem }
table { border-collapse: collapse } td, th { padding: .15rem .8rem .15rem 0; text-align: left; vertical-align: top }
td.number { text-align: right; font-variant-numeric: tabular-nums } .note { color: #666 }
svg text { font: 13px system-ui, sans-serif; fill: #222 } svg rect { fill: #3b6ea5 }
"""

_TITLES = {
    "language": "Languages",
    "language_sample": "Languages, in a sample of one record in twenty",
    "target_language": "Languages of the targets",
    "c4_lines": "Lines that the C4 rules removed",
    "contaminated_by": "Evaluation texts met",
    "privacy": "Personal data replaced",
    "privacy_in_exclusions": "Personal data replaced in what was dropped",
    "normalise": "Normalisation",
}


def report_page(report: Mapping[str, Any]) -> str:
    """Returns the page of a report (see `lstmlm.corpus.report.report`); every text in it is escaped."""
    title = html.escape(f"Corpus of {report['name']}")
    body = "".join(_sections(report))
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
        f"<style>{_STYLE}</style></head>\n<body><h1>{title}</h1>\n{body}</body></html>\n"
    )


def _sections(report: Mapping[str, Any]) -> Iterator[str]:
    counts = report["counts"]
    yield _table(
        ("rows read", counts["in"]),
        ("records kept", counts["kept"]),
        ("dropped", sum(counts["dropped"].values())),
        ("dead letters", counts["dead"]),
        *((f"{split}: records", facts["records"]) for split, facts in report["splits"].items()),
        *((f"{split}: bytes", facts["bytes"]) for split, facts in report["splits"].items()),
    )
    yield from (f'<p class="note">Warning: {html.escape(warning)}</p>\n' for warning in report.get("warnings", ()))
    yield _chart("Dropped, by reason", counts["dropped"])
    yield _chart("Dead letters, by reason", counts["dead_by_reason"])
    yield _chart(
        "Length of the texts, in characters", {f"{low:,} to {high:,}": count for low, high, count in report["lengths"]}
    )
    known = {"name", "counts", "splits", "lengths"}
    for name, tally in report.items():
        if name not in known and isinstance(tally, Mapping):
            yield _chart(_TITLES.get(name, name), tally)
    yield from _lines("Most repeated lines", "Counted inside blocks: a lower bound.", report["repeated_lines"])
    yield from _lines("Files left out", "", report["left_out"])


def _table(*rows: tuple[str, int]) -> str:
    cells = "".join(f'<tr><td>{html.escape(name)}</td><td class="number">{value:,}</td></tr>' for name, value in rows)
    return f"<table>{cells}</table>\n"


def _chart(title: str, counts: Mapping[str, int]) -> str:
    if not counts:
        return ""
    shown = list(counts.items())[:MOST_BARS]
    largest = max(1, *(count for _, count in shown))
    rows = "".join(_bar(place, label, count, largest) for place, (label, count) in enumerate(shown))
    rest = len(counts) - len(shown)
    note = f'<p class="note">and {rest} more in report.json</p>' if rest else ""
    size = f'width="{LABEL_WIDTH + BAR_WIDTH + 120}" height="{ROW_HEIGHT * len(shown)}"'
    return f'<h2>{html.escape(title)}</h2>\n<svg {size} role="img">{rows}</svg>\n{note}'


def _bar(place: int, label: str, count: int, largest: int) -> str:
    top, width = place * ROW_HEIGHT, max(1, round(BAR_WIDTH * count / largest))
    line = top + ROW_HEIGHT - 6
    return (
        f'<text x="{LABEL_WIDTH - 8}" y="{line}" text-anchor="end">{html.escape(label)}</text>'
        f'<rect x="{LABEL_WIDTH}" y="{top + 3}" width="{width}" height="{ROW_HEIGHT - 6}"/>'
        f'<text x="{LABEL_WIDTH + width + 6}" y="{line}">{count:,}</text>'
    )


def _lines(title: str, note: str, lines: Sequence[Sequence[Any]]) -> Iterator[str]:
    if not lines:
        return
    yield f'<h2>{html.escape(title)}</h2>\n<p class="note">{html.escape(note)}</p>\n<table>'
    for text, value in lines:
        shown = f"{value:,}" if isinstance(value, int) else html.escape(value)
        yield f'<tr><td class="number">{shown}</td><td>{html.escape(text)}</td></tr>'
    yield "</table>\n"
