"""Attention as text: a row for each token that was written, a column for each token that was read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.cells import cell_len, set_cell_size

SHADES = " ░▒▓█"
"""From no weight to all of it."""
WIDEST = 8
"""Cells of a column or of the label of a row, at most."""
END = "end"
"""What the token is called that has no text of its own."""


def heat_map(source: Sequence[str], text: Sequence[str], weights: Sequence[Sequence[float]], width: int) -> list[str]:
    """Returns the lines of a heat map; where the columns do not fit, there are several, one below the other.

    Args:
        source: Tokens that were read.
        text: Tokens that were written.
        weights: For each of those a weight from 0 to 1 for each of these.
        width: Cells of a line.
    """
    columns, rows = [_label(one) for one in source], [_label(one) for one in text]
    margin = max((cell_len(row) for row in rows), default=0)
    lines: list[str] = []
    for band in _bands([cell_len(column) for column in columns], width - margin - 1):
        lines.append(" ".join([" " * margin, *(columns[n] for n in band)]).rstrip())
        for row, values in zip(rows, weights, strict=True):
            cells = (shade(values[n]) * cell_len(columns[n]) for n in band)
            lines.append(" ".join([set_cell_size(row, margin), *cells]).rstrip())
    return lines


def shade(weight: float) -> str:
    """Returns the character of a weight from 0 to 1."""
    return SHADES[min(len(SHADES) - 1, max(0, round(weight * (len(SHADES) - 1))))]


def _label(token: str) -> str:
    text = "".join(letter if letter.isprintable() else "?" for letter in token.strip())
    return set_cell_size(text, min(WIDEST, cell_len(text))) if text else (" " if token else END)


def _bands(widths: Sequence[int], room: int) -> Iterator[list[int]]:
    """Yields consecutive columns that fit into a line, at least one."""
    band: list[int] = []
    for number, width in enumerate(widths):
        if band and sum(widths[n] + 1 for n in band) + width > room:
            yield band
            band = []
        band.append(number)
    if band:
        yield band
