"""The rules that FineWeb adds to C4's and Gopher's (Penedo et al. 2024, "The FineWeb Datasets", section 3.6)."""

from __future__ import annotations

from lstmlm.corpus.steps.quality.repetition import duplicates
from lstmlm.corpus.steps.quality.sentences import TERMINAL_MARKS
from lstmlm.corpus.steps.quality.texts import Reasons, Texts
from lstmlm.corpus.wording.scripts import columns

MIN_PUNCTUATED_LINES = 0.12
MAX_SHORT_LINES = 0.67
SHORT_LINE = 30  # columns, of which a Chinese letter fills two
MAX_DUPLICATE_LINE_CHARACTERS = 0.01
MAX_NEW_LINES_PER_TOKEN = 0.3


def fineweb(block: Texts) -> Reasons:
    """Returns, for each text, the first FineWeb rule that it breaks, or None.

    Args:
        block: The texts, each a whole document.
    """
    tokens = block.words.tokens.tolist()
    return [_first_broken(text, count) for text, count in zip(block.texts, tokens, strict=True)]


def _first_broken(text: str, tokens: int) -> str | None:
    lines = [line for line in text.split("\n") if line and not line.isspace()]
    if not lines:
        return "fineweb_empty"
    if sum(line[-1] in TERMINAL_MARKS for line in lines) / len(lines) < MIN_PUNCTUATED_LINES:
        return "fineweb_unpunctuated_lines"
    if sum(map(_is_short, lines)) / len(lines) > MAX_SHORT_LINES:
        return "fineweb_short_lines"
    new_lines = text.count("\n")
    if duplicates(lines)[1] / (len(text) - new_lines) > MAX_DUPLICATE_LINE_CHARACTERS:
        return "fineweb_duplicate_lines"
    if new_lines / tokens > MAX_NEW_LINES_PER_TOKEN:
        return "fineweb_list"
    return None


def _is_short(line: str) -> bool:
    # Marks on letters fill no column, but no script has more than a few on each.
    return len(line) <= 4 * SHORT_LINE and columns(line) <= SHORT_LINE
