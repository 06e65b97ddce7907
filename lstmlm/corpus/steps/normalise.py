"""Normalisation: damaged text is fixed and white space made regular, so that equal texts are equal strings."""

from __future__ import annotations

import collections
import re
from collections.abc import Iterator

from ftfy import TextFixerConfig, fix_and_explain
from ftfy.badness import is_bad
from ftfy.chardata import UTF8_DETECTOR_RE

from lstmlm.corpus.passes.block import Block
from lstmlm.corpus.steps.entities import unescape
from lstmlm.corpus.steps.forms import nfc
from lstmlm.corpus.steps.step import Step
from lstmlm.records.record import Record

EMPTY = "empty_after_normalising"
LOST_SPAN = "span_lost_in_normalising"

_LINE_ENDS = "\r\v\f\x1c\x1d\x1e\x85\u2028\u2029"
_SPACES = "\t\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000"
_CONTROLS = "".join(map(chr, [*range(0x20), *range(0x7F, 0xA0)]))
_TABLE: dict[int, str | None] = {
    **{ord(control): None for control in _CONTROLS if control != "\n"},
    **{ord(space): " " for space in _SPACES},
    **{ord(end): "\n" for end in _LINE_ENDS},
}
_UNTIDY = re.compile(f"[{_LINE_ENDS}{_SPACES}{_CONTROLS.replace(chr(10), '')}]")
_NOT_PLAIN = bytes(code for code in range(0x80) if code < 0x20 or code == 0x7F).replace(b"\n", b"") + b"&"
_RUN_OF_SPACES = re.compile(" {2,}")
_TRAILING = re.compile(" +\n")
_BLANK_LINES = re.compile("\n{3,}")

# Curly quotes and full-width characters are typography, not damage: they stay. Entities and the normal form are done
# here, in linear time.
_FIXES = TextFixerConfig(
    uncurl_quotes=False, fix_character_width=False, unescape_html=False, normalization=None, explain=False
)
# Where mojibake is fixed only in whole segments. `explain` is needed: without it ftfy forgets the other settings.
_WHOLE = _FIXES._replace(decode_inconsistent_utf8=False, explain=True)
# What ftfy changes in addition to mojibake: controls, surrogates, ligatures.
_FIXABLE = re.compile(
    "[\x00-\x08\x0b\x0e-\x1f\x7f-\x9f\u0132\u0133\u0149\u01c4-\u01cc\u01f1-\u01f3\u206a-\u206f\ud800-\udfff"
    "\ufb00-\ufb06\ufeff\ufff9-\ufffc\r\u2028\u2029]"
)
_MOST_PASSES = 8  # far more than any text seen to change; a bound for what an adversary may find
_MOST_SEGMENTS = 4096  # of a text that ftfy sees one by one, and of pieces that it fixes inside of one


def normalise(text: str) -> str:
    r"""Returns a text without damage and with regular white space; what it returns, it leaves as it is.

    Mojibake, terminal escapes and Latin ligatures are fixed by ftfy (Speer 2019), line by line. HTML entities are
    replaced where no `<` hints at markup. Text is in Unicode form NFC. Lines end in `\n`; every other run of white
    space is one space, and control characters are gone. No line ends in white space, paragraphs are separated by at
    most one blank line, and neither is at the ends. Full-width punctuation, joiners, marks of direction and quotes stay
    as they are.

    Args:
        text: Any string.
    """
    if _is_plain(text):
        return text
    for _ in range(_MOST_PASSES):
        before = text
        if "&" in text and ";" in text and "<" not in text:
            text = unescape(text)
        text = nfc(text)
        if not text.isascii() or _FIXABLE.search(text):
            text = "".join(_fixed(segment) for segment in _segments(text))
        text = _tidy(text)
        if text == before:
            break
    return text


def _is_plain(text: str) -> bool:
    """Returns whether a text is ASCII that normalisation leaves as it is, at the cost of a few fast scans."""
    if not text.isascii() or "  " in text or text[:1].isspace() or text[-1:].isspace():
        return False
    data = text.encode("ascii")
    if len(data.translate(None, _NOT_PLAIN)) < len(data):
        return False
    return "\n" not in text or (" \n" not in text and "\n\n\n" not in text)


def _segments(text: str) -> Iterator[str]:
    """Yields the lines of a text; a few at a time where there are very many."""
    lines = [f"{line}\n" for line in text.split("\n")]
    lines[-1] = lines[-1][:-1]
    size = -(-len(lines) // _MOST_SEGMENTS)
    for start in range(0, len(lines), size):
        yield "".join(lines[start : start + size])


def _fixed(segment: str) -> str:
    # ftfy takes ten times as long to find out that there is nothing to do.
    if not _FIXABLE.search(segment) and (segment.isascii() or not is_bad(segment)):
        return segment
    many = len(segment) > _MOST_SEGMENTS and len(UTF8_DETECTOR_RE.findall(segment)) > _MOST_SEGMENTS
    return fix_and_explain(segment, _WHOLE if many else _FIXES).text


def _tidy(text: str) -> str:
    if _UNTIDY.search(text):
        text = text.replace("\r\n", "\n").translate(_TABLE)
    text = nfc(text)
    if "  " in text:
        text = _RUN_OF_SPACES.sub(" ", text)
    if " \n" in text:
        text = _TRAILING.sub("\n", text)
    if "\n\n\n" in text:
        text = _BLANK_LINES.sub("\n\n", text)
    return text.strip(" \n")


class Normalise(Step):
    """Normalises every text of a record; drops records of which a side becomes empty, or a span of a text is lost.

    The histogram `normalise` counts the records that changed.
    """

    def __call__(self, block: Block) -> Block:
        """See `Step`."""
        normalised = [record.with_texts(normalise) for record in block.records]
        reasons = [_lost(old, new) for old, new in zip(block.records, normalised, strict=True)]
        changed = sum(old is not new for old, new in zip(block.records, normalised, strict=True))
        kept = [record for record, reason in zip(normalised, reasons, strict=True) if record and not reason]
        # The records are dropped as they were: an empty one would not be useful in the list of exclusions.
        rest = block.without(reasons)
        return rest.with_records(kept).tallied("normalise", +collections.Counter(changed=changed))


def _lost(before: Record, after: Record | None) -> str | None:
    """Returns why a normalised record is dropped; None where it stays."""
    if after is None:
        return LOST_SPAN
    return EMPTY if (before.source and not after.source) or not all(after.targets) else None
