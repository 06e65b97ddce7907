"""Each Gopher repetition rule, and all of them against plain loops."""

from __future__ import annotations

import collections
import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lstmlm.corpus.steps.quality.repetition import gopher_repetition, repeated_lines
from lstmlm.corpus.steps.quality.texts import Texts
from lstmlm.corpus.steps.quality.words import segment


def reason(text: str) -> str | None:
    return gopher_repetition(Texts([text]))[0]


def distinct(count: int, start: int = 0) -> list[str]:
    """Distinct words of 4 letters."""
    letters = itertools.product("abcdefghijklmnop", repeat=4)
    return ["".join(word) for word in itertools.islice(letters, start, start + count)]


def with_repeats(size: int, times: int, words: int, phrases: int = 1) -> str:
    """A text of `words` words in which each of some phrases of `size` words occurs `times` times."""
    repeated = [" ".join(distinct(size, start=100 * phrase)) for phrase in range(phrases)] * times
    fill = distinct(words - size * len(repeated), start=10_000)
    step = len(fill) // len(repeated)
    parts = [" ".join([phrase, *fill[i * step : (i + 1) * step]]) for i, phrase in enumerate(repeated)]
    return " ".join(parts + fill[len(repeated) * step :])


def paragraphs(*sizes: int, repeats: int, between: str = "\n\n") -> str:
    """Paragraphs of distinct words; the first comes again `repeats` times."""
    made = [" ".join(distinct(size, start=100 * index)) for index, size in enumerate(sizes)]
    return between.join(made + made[:1] * repeats)


# One text that breaks the rule, one that is on the threshold or just inside.
LINES = {
    "gopher_duplicate_paragraphs": (paragraphs(1, *[20] * 5, repeats=3), paragraphs(1, *[20] * 6, repeats=3)),
    "gopher_duplicate_paragraph_characters": (
        paragraphs(24, *[20] * 3, repeats=1),
        paragraphs(19, *[22] * 4, repeats=1),
    ),
    "gopher_duplicate_lines": (
        paragraphs(1, *[20] * 5, repeats=3, between="\n"),
        paragraphs(1, *[20] * 6, repeats=3, between="\n"),
    ),
    "gopher_duplicate_line_characters": (
        paragraphs(20, 15, 15, 15, repeats=1, between="\n"),
        paragraphs(4, *[15] * 4, repeats=1, between="\n"),
    ),
}
NGRAMS = {
    # Of `n` words in 5 * n - 1 characters, a phrase of two occurs ten times: 90 characters.
    "gopher_top_2gram": (with_repeats(2, 10, 89), with_repeats(2, 10, 91)),
    "gopher_top_3gram": (with_repeats(3, 6, 93), with_repeats(3, 6, 94)),
    "gopher_top_4gram": (with_repeats(4, 4, 94), with_repeats(4, 4, 96)),
}


@pytest.mark.parametrize("name", LINES)
def test_equal_lines_are_dropped_over_the_threshold(name: str) -> None:
    over, inside = LINES[name]
    assert reason(over) == repeated_lines(over) == name
    assert repeated_lines(inside) is None


@pytest.mark.parametrize("name", NGRAMS)
def test_frequent_ngrams_are_dropped_over_the_threshold(name: str) -> None:
    over, inside = NGRAMS[name]
    assert reason(over) == name
    assert reason(inside) is None


@pytest.mark.parametrize(("size", "limit"), [(5, 0.15), (6, 0.14), (7, 0.13), (8, 0.12), (9, 0.11), (10, 0.10)])
def test_longer_ngrams_have_lower_thresholds(size: int, limit: float) -> None:
    # Four phrases occur twice: the second time they cover 16 * size of the 5 * words - 1 characters.
    words = int(16 * size / 5 / limit)
    assert reason(with_repeats(size, 2, words - 1, phrases=4)) == f"gopher_duplicate_{size}grams"
    assert reason(with_repeats(size, 2, words + 2, phrases=4)) is None


def test_what_occurs_once_repeats_nothing() -> None:
    assert reason("one two three four") is None
    assert reason("") is None


def reference(text: str) -> str | None:
    def repeats(parts: list[str]) -> tuple[int, int]:
        again = [part for index, part in enumerate(parts) if part in parts[:index]]
        return len(again), sum(len(part) for part in again)

    blocks = text.strip().replace("\n\n\n", "\n\n").split("\n\n")
    count, characters = repeats(blocks)
    if count / len(blocks) > 0.3 or (text and characters / len(text) > 0.2):
        return "gopher_duplicate_paragraphs" if count / len(blocks) > 0.3 else "gopher_duplicate_paragraph_characters"
    lines = text.replace("\n\n\n", "\n").replace("\n\n", "\n").split("\n")
    count, characters = repeats(lines)
    if count / len(lines) > 0.3 or (text and characters / len(text) > 0.2):
        return "gopher_duplicate_lines" if count / len(lines) > 0.3 else "gopher_duplicate_line_characters"
    words = segment([text]).strings(0)
    for size, limit in {2: 0.2, 3: 0.18, 4: 0.16}.items():
        grams = [" ".join(words[i : i + size]) for i in range(len(words) - size + 1)]
        for gram, often in collections.Counter(grams).most_common(1):
            if often > 1 and often * len(gram) / len(text) > limit:
                return f"gopher_top_{size}gram"
    for size, limit in {5: 0.15, 6: 0.14, 7: 0.13, 8: 0.12, 9: 0.11, 10: 0.1}.items():
        seen, again, i = [], 0, 0
        while i <= len(words) - size:
            gram = "".join(words[i : i + size])
            again += len(gram) if gram in seen else 0
            i += size if gram in seen else 1
            seen.append(gram)
        if text and again / len(text) > limit:
            return f"gopher_duplicate_{size}grams"
    return None


FEW = st.lists(st.sampled_from(["a", "to", "the", "cat", "sat", "\n", "\n\n", "mat."]), max_size=30)
MANY = st.lists(st.integers(0, 40), min_size=60, max_size=150).map(lambda ids: [f"w{i}" for i in ids])
ROWS = st.lists(st.sampled_from([" ".join(f"w{r}x{i}" for i in range(12)) for r in range(25)]), max_size=12)
TEXTS = st.one_of(FEW, MANY, ROWS).map(" ".join)


@settings(deadline=None)
@given(texts=st.lists(TEXTS, max_size=4))
def test_reasons_are_those_of_the_reference(texts: list[str]) -> None:
    assert gopher_repetition(Texts(texts)) == [reference(text) for text in texts]
