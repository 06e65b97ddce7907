"""The rules that FineWeb adds to C4's and Gopher's (Penedo et al. 2024, "The FineWeb Datasets", section 3.6)."""

from __future__ import annotations

from lstmlm.corpus.quality.repetition import duplicates
from lstmlm.corpus.quality.texts import Reasons, Texts

MIN_PUNCTUATED_LINES = 0.12
MAX_SHORT_LINES = 0.67
SHORT_LINE = 30
MAX_DUPLICATE_LINE_CHARACTERS = 0.01
MAX_NEW_LINES_PER_TOKEN = 0.3

# Characters with the Unicode property Sentence_Terminal, and full stops and marks used like them.
_TERMINAL_RANGES = (
    "21 2e 3f 589 61d-61f 6d4 700-702 7f9 837 839 83d-83e 964-965 104a-104b 1362 1367-1368 166e 1735-1736 17d4-17d6 "
    "17d9-17da 1803 1809 1944-1945 1aa8-1aab 1b5a-1b5b 1b5e-1b5f 1b7d-1b7e 1c3b-1c3c 1c7e-1c7f 203c-203d 2047-2049 "
    "2e2e 2e3c 2e53-2e54 3002 a4ff a60e-a60f a6f3 a6f7 a876-a877 a8ce-a8cf a92f a9c8-a9c9 aa5d-aa5f aaf0-aaf1 abeb "
    "fe52 fe56-fe57 ff01 ff0e ff1f ff61 10a56-10a57 10f55-10f59 10f86-10f89 11047-11048 110be-110c1 11141-11143 "
    "111c5-111c6 111cd 111de-111df 11238-11239 1123b-1123c 112a9 1144b-1144c 115c2-115c3 115c9-115d7 11641-11642 "
    "1173c-1173e 11944 11946 11a42-11a43 11a9b-11a9c 11c41-11c42 11ef7-11ef8 11f43-11f44 16a6e-16a6f 16af5 16b37-16b38 "
    "16b44 16e98 1bc9f 1da88"
)


def _characters(ranges: str) -> tuple[str, ...]:
    bounds = [span.split("-") for span in ranges.split()]
    return tuple(chr(code) for span in bounds for code in range(int(span[0], 16), int(span[-1], 16) + 1))


TERMINAL_MARKS = _characters(_TERMINAL_RANGES)


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
    if sum(line.endswith(TERMINAL_MARKS) for line in lines) / len(lines) < MIN_PUNCTUATED_LINES:
        return "fineweb_unpunctuated_lines"
    if sum(len(line) <= SHORT_LINE for line in lines) / len(lines) > MAX_SHORT_LINES:
        return "fineweb_short_lines"
    new_lines = text.count("\n")
    if duplicates(lines)[1] / (len(text) - new_lines) > MAX_DUPLICATE_LINE_CHARACTERS:
        return "fineweb_duplicate_lines"
    if new_lines / tokens > MAX_NEW_LINES_PER_TOKEN:
        return "fineweb_list"
    return None
