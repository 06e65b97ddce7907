"""Shingles against sets of word runs in plain Python."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from lstmlm.corpus.wording.shingles import shingles

TEXTS = st.lists(st.lists(st.sampled_from(["a", "b", "c"]), max_size=9).map(" ".join), max_size=8)


def runs(text: str, n: int, whole: bool) -> list[tuple[str, ...]]:
    words = text.split()
    if 0 < len(words) < n:
        return [tuple(words)] if whole else []
    return [tuple(words[start : start + n]) for start in range(len(words) - n + 1)] if words else []


@settings(max_examples=100, deadline=None)
@given(TEXTS, st.integers(1, 6), st.booleans())
def test_a_hash_for_every_run_of_words(texts: list[str], n: int, whole: bool) -> None:
    hashes, offsets = shingles(texts, n, whole=whole)
    expected = [runs(text, n, whole) for text in texts]
    assert offsets.tolist() == [sum(map(len, expected[:end])) for end in range(len(texts) + 1)]
    flat = [run for found in expected for run in found]
    assert len(set(zip(flat, hashes.tolist(), strict=True))) == len(set(flat)) == len(set(hashes.tolist()))


def test_neighbours_make_no_difference() -> None:
    single, _ = shingles(["one two three four five six"], 5)
    hashes, offsets = shingles(["x y", "one two three four five six", "", "z " * 9], 5)
    assert hashes[offsets[1] : offsets[2]].tolist() == single.tolist()


def test_short_text_is_like_the_same_words_only() -> None:
    hashes, _ = shingles(["Good morning.", "good morning", "morning good", "good", "good good"], 5)
    assert hashes[0] == hashes[1]
    assert len(set(hashes.tolist())) == 4


def test_short_text_is_like_the_same_signs_only() -> None:
    texts = ["great 👍", "great 👎", "2 + 3", "2 - 3", "in C", "in C++", "in C#", "5 degrees", "-5 degrees"]
    for signs in (True, False):
        hashes, _ = shingles(texts, 5, signs=signs)
        assert len(set(hashes.tolist())) == len(texts)


# Each is a run of letters, with the weight of one of them.
SCRIPTS = {"word": 1.0, "東": 0.5, "カ": 1 / 3, "ก": 0.25}


def weighted_runs(units: list[str], n: int) -> list[tuple[str, ...]]:
    found = []
    for start in range(len(units)):
        for end in range(start + 1, len(units) + 1):
            if sum(SCRIPTS.get(unit, 1.0) for unit in units[start:end]) >= n - 1e-9:
                found.append(tuple(units[start:end]))
                break
    return found or ([("whole", *units)] if units else [])


@settings(max_examples=100, deadline=None)
@given(st.lists(st.lists(st.sampled_from([*SCRIPTS, "other"]), max_size=25), max_size=8), st.integers(1, 5))
def test_letters_of_scripts_without_spaces_are_parts_of_a_word(texts: list[list[str]], n: int) -> None:
    hashes, offsets = shingles([" ".join(units) for units in texts], n)
    expected = [weighted_runs(units, n) for units in texts]
    assert offsets.tolist() == [sum(map(len, expected[:end])) for end in range(len(texts) + 1)]
    flat = [run for found in expected for run in found]
    assert len(set(zip(flat, hashes.tolist(), strict=True))) == len(set(flat)) == len(set(hashes.tolist()))


def test_runs_of_words_only_pass_over_signs() -> None:
    hashes, offsets = shingles(["one two three", "one ** two + three", "* * * *"], 3, signs=False, whole=False)
    assert offsets.tolist() == [0, 1, 2, 2]
    assert hashes[0] == hashes[1]
