"""Tokens against a reference in plain loops, and what users would call words."""

from __future__ import annotations

import itertools
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lstmlm.corpus.steps.quality.tokens import _ABBREVIATIONS
from lstmlm.corpus.steps.quality.words import segment
from lstmlm.corpus.wording.scripts import letters_per_word

QUOTES = "'\"”“`‘´’‚„»«「」『』（）〔〕【】《》〈〉⟦⟧"
BOTH_ENDS = QUOTES + "…,:;!?¿؟¡()[]{}<>_#*&。？！，、；：～·।،۔؛٪—–"
OPENING = BOTH_ENDS + "§%=+$£€¥฿"
DASHES = "-–—~"


def single(c: str) -> bool:
    return c == "…" or unicodedata.category(c) == "So"


def digit(c: str) -> bool:
    return unicodedata.category(c) == "Nd"


def letter(c: str) -> bool:
    return c.isalpha()


def lower(c: str) -> bool:
    return c.isalpha() and c.islower()


def upper(c: str) -> bool:
    return c.isalpha() and c.isupper()


class Chunk:
    """A text between white space, whose neighbours are spaces; every rule looks at one place."""

    def __init__(self, text: str) -> None:
        self.text = text

    def __getitem__(self, place: int) -> str:
        return self.text[place] if 0 <= place < len(self.text) else " "

    def ellipsis(self, i: int) -> bool:
        return self[i] == "." and "." in (self[i - 1], self[i + 1])

    def sentence_end(self, i: int) -> bool:
        before = self[i - 1]
        after_capitals = upper(before) and upper(self[i - 2])
        return self[i] == "." and (
            lower(before) or digit(before) or before in BOTH_ENDS or before == "%" or after_capitals
        )

    def opens(self, i: int) -> bool:
        if self[i] == "+" and digit(self[i + 1]):
            return False
        return self[i] in OPENING or single(self[i]) or self.ellipsis(i)

    def closes(self, i: int) -> bool:
        unit = self[i] in "%+" and digit(self[i - 1])
        return self[i] in BOTH_ENDS or single(self[i]) or self.ellipsis(i) or self.sentence_end(i) or unit

    def abbreviation(self, i: int) -> bool:
        if not self.sentence_end(i) or self.ellipsis(i):
            return False
        start = i
        while i - start < 7 and (self[start - 1] == "." or (self[start - 1].isascii() and letter(self[start - 1]))):
            start -= 1
        separated = self[start - 1].isspace() or self[start - 1] in OPENING
        return self.text[start:i] in _ABBREVIATIONS.split() and separated

    def parts(self, i: int) -> bool:
        c, before, after = self[i], self[i - 1], self[i + 1]
        if c == "," and letter(before) and letter(after):
            return True
        if c in ":<>=/" and (letter(before) or digit(before)) and letter(after):
            return True
        if c in "+-*^" and digit(before) and (digit(after) or after == "-"):
            return True
        return c == "." and (lower(before) or before in QUOTES) and (upper(after) or after in QUOTES)

    def dash(self, i: int) -> bool:
        if self[i] not in DASHES:
            return False
        first = last = i
        while self[first - 1] == self[i]:
            first -= 1
        while self[last + 1] == self[i]:
            last += 1
        before, after = self[first - 1], self[last + 1]
        return last - first < 3 and (letter(before) or digit(before)) and letter(after)

    def tokens(self) -> list[str]:
        size = len(self.text)
        right = set()
        for i in itertools.takewhile(self.closes, range(size - 1, -1, -1)):
            right.add(i)
        right = {i for i in right if not self.abbreviation(i)}
        separate = right | set(itertools.takewhile(self.opens, range(size)))
        address = "://" in self.text
        for i in range(size):
            if self.ellipsis(i) or single(self[i]) or (not address and (self.parts(i) or self.dash(i))):
                separate.add(i)
        closed = right | {size}
        starts = {0}
        for i in range(size):
            if self[i] in "'’":
                clitic = any(
                    self.text.startswith(word, i + 1) and i + 1 + len(word) in closed
                    for word in ["s", "S", "m", "re", "ve", "ll", "em"] + ["d"] * (self[i - 1] in "Iaeiouy")
                )
                negation = self[i - 1] == "n" and self[i + 1] == "t" and i + 2 in closed and letter(self[i - 2])
                if clitic or negation:
                    separate.discard(i)
                    starts.add(i - 1 if negation and not clitic else i)
                    if negation and clitic:
                        starts.add(i - 1)
        for i in separate:
            again = i - 1 in separate and self[i] == self[i - 1] and (self.ellipsis(i) or self.dash(i))
            starts |= {i, i + 1} if not again else {i + 1}
        starts -= {
            i for i in separate if i - 1 in separate and self[i] == self[i - 1] and (self.ellipsis(i) or self.dash(i))
        }
        bounds = [*sorted(starts - {size}), size]
        return [self.text[a:b] for a, b in itertools.pairwise(bounds)]


def reference(text: str) -> list[str]:
    return [piece for chunk in text.split() for token in Chunk(chunk).tokens() for piece in cut(token)]


def cut(token: str) -> list[str]:
    """A token in pieces of about a word, where its script has no spaces."""
    pieces: list[str] = []
    before = -1
    for letter in token:
        size = int(letters_per_word()[ord(letter)])
        if size != before or (size and len(pieces[-1]) == size):
            pieces.append("")
        pieces[-1] += letter
        before = size
    return pieces


PIECES = st.one_of(
    st.sampled_from(
        [*"aZ5 .,'’-–+*=:/%$(){}[]\"#…é日本カก٣_~°&<>\n\t", "...", "n't", "'s", "'re", "Mr.", "e.g.", "://", "--"]
    ),
    st.text(max_size=3),
)
TEXTS = st.one_of(st.text(max_size=40), st.lists(PIECES, max_size=25).map("".join))


@settings(deadline=None)
@given(texts=st.lists(TEXTS, max_size=4))
def test_tokens_are_those_of_the_reference(texts: list[str]) -> None:
    words = segment(texts)
    assert [words.strings(index) for index in range(len(texts))] == [reference(text) for text in texts]


@settings(deadline=None)
@given(text=TEXTS)
def test_nothing_but_white_space_is_lost(text: str) -> None:
    assert "".join(segment([text]).strings(0)) == "".join(text.split())


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("Plain words only", "Plain words only"),
        ("(so) he said, “yes!”", "( so ) he said , “ yes ! ”"),
        ("It's what they don't say.", "It 's what they do n't say ."),
        ("He'd turn'd; the dogs' bones", "He 'd turn'd ; the dogs ' bones"),
        ("a well-known 20-page state-of-the-art text", "a well - known 20 - page state - of - the - art text"),
        ("yes--no", "yes -- no"),
        ("in 1990-2000, 3.5 or 3,500", "in 1990 - 2000 , 3.5 or 3,500"),
        ("up 15%.", "up 15 % ."),
        ("$5 and +5", "$ 5 and +5"),
        ("Mr. Smith of the U.S. saw it, e.g. twice.", "Mr. Smith of the U.S. saw it , e.g. twice ."),
        ("NASA. well...done... end", "NASA . well ... done ... end"),
        ("see https://a.org/b-c/d or a/b", "see https://a.org/b-c/d or a / b"),
        ("end.Next word,word", "end . Next word , word"),
        ("日本語 ok 😀ok", "日本 語 ok 😀 ok"),
        ("我们去2024年的公园，好吗？", "我们 去 2024 年的 公园 ， 好吗 ？"),
        ("กินข้าว", "กินข ้าว"),
        ("मेरा नाम है। ١٢-٣", "मेरा नाम है । ١٢ - ٣"),
    ],
)
def test_words_as_a_reader_sees_them(text: str, tokens: str) -> None:
    assert segment([text]).strings(0) == tokens.split()
