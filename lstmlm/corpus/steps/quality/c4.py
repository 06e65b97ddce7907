"""The cleaning rules of C4 (Raffel et al. 2020, section 2.2): lines that are no sentences go, then poor pages.

The thresholds are those of the code that built the released corpus. Its list of bad words is left out, as is its
removal of repeated spans, which is a matter of `corpus.duplicates`. The rules were made for English; here the marks of
other scripts end sentences too, and letters of scripts without spaces are counted as about so many words.
"""

from __future__ import annotations

import collections
import dataclasses
import re
from collections.abc import Sequence

from lstmlm.corpus.steps.quality.sentences import TERMINAL_MARKS
from lstmlm.corpus.wording.scripts import about_words

MIN_SENTENCES = 3
MIN_WORDS_OF_LINE = 5
MAX_WORD_LENGTH = 1000
END_MARKS = frozenset((".", "?", "!", '"', "”", "»", "」", "』", *TERMINAL_MARKS))
POLICY_PHRASES = (
    "terms of use",
    "privacy policy",
    "cookie policy",
    "uses cookies",
    "use of cookies",
    "use cookies",
)

_ELLIPSIS = ("...", "…")
_CITATION = re.compile(r"\[(?:\d*|edit|citation needed)\]")
# Initials, `U.S.` and titles end no sentence, unless by several marks. They are looked for after the mark: at every
# character would be slow. A row of marks is looked at only where it starts, or a long one would take quadratic time.
_SENTENCE_END = re.compile(
    r"[.!?](?<![.!?][.!?])"
    r"(?:(?=[.!?])|(?<!\b\w[.!?])(?<!\bMr[.])(?<!\bMrs[.])(?<!\bMs[.])(?<!\bDr[.])(?<!\bSt[.]))"
    r"[.!?]*+[\"'”’)\]]*+(?=\s|$)"
)
_OTHER_MARKS = TERMINAL_MARKS - set(".!?")
# Marks of other scripts: no abbreviation ends in one, and no space needs to follow.
_OTHER_SENTENCE_END = re.compile(f"[{''.join(sorted(_OTHER_MARKS))}]++")
_LONG_WORD = re.compile(rf"(?<!\S)\S{{{MAX_WORD_LENGTH + 1}}}")


@dataclasses.dataclass(frozen=True, slots=True)
class Cleaned:
    """What the C4 rules leave of a text.

    Attributes:
        text: The lines that stay; the whole text where there is a reason.
        reason: The rule that drops the text, or None.
        lines: Rule -> lines it removed.
    """

    text: str
    reason: str | None
    lines: collections.Counter[str]


def c4(text: str) -> Cleaned:
    """Applies the C4 rules to one text, a whole document."""
    folded = text.lower()
    if "{" in text:
        return Cleaned(text, "c4_curly_bracket", collections.Counter())
    if "lorem ipsum" in folded:
        return Cleaned(text, "c4_lorem_ipsum", collections.Counter())
    kept: list[str] = []
    removed: collections.Counter[str] = collections.Counter()
    for line in text.splitlines():
        shown = (_CITATION.sub("", line) if "[" in line else line).strip()
        reason = _line_reason(shown)
        if reason is None:
            kept.append(shown)
        else:
            removed[reason] += 1
    if _has_few_sentences(kept):
        return Cleaned(text, "c4_few_sentences", removed)
    return Cleaned("\n".join(kept), None, removed)


def _has_few_sentences(lines: Sequence[str]) -> bool:
    found = [len(_SENTENCE_END.findall(line)) for line in lines]
    if sum(count or 1 for count in found) >= MIN_SENTENCES:
        return False
    found = [count + len(_OTHER_SENTENCE_END.findall(line)) for count, line in zip(found, lines, strict=True)]
    return sum(count or 1 for count in found) < MIN_SENTENCES


def _line_reason(line: str) -> str | None:
    """Returns the rule that removes a line, or None."""
    if line[-1:] not in END_MARKS or line.endswith(_ELLIPSIS):
        return "c4_line_without_end_mark"
    if len(line.split(None, MIN_WORDS_OF_LINE)) < MIN_WORDS_OF_LINE and (
        line.isascii() or about_words(line) < MIN_WORDS_OF_LINE
    ):
        return "c4_short_line"
    if len(line) > MAX_WORD_LENGTH and _LONG_WORD.search(line):
        return "c4_long_word"
    folded = line.lower()
    if "javascript" in folded:
        return "c4_javascript"
    if any(phrase in folded for phrase in POLICY_PHRASES):
        return "c4_policy"
    return None
