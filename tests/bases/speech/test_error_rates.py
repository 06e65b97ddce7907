"""Error rates: the fewest edits, and which they are."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from lstmlm.bases.speech.error_rates import Errors, character_errors, matched, word_errors


def fewest(output: str, reference: str) -> int:
    """The Levenshtein distance by its definition."""
    if not output or not reference:
        return len(output) + len(reference)
    if output[0] == reference[0]:
        return fewest(output[1:], reference[1:])
    return 1 + min(fewest(output[1:], reference), fewest(output, reference[1:]), fewest(output[1:], reference[1:]))


@given(st.text("ab", max_size=5), st.text("abc", max_size=5))
def test_edits_are_the_fewest_and_turn_one_into_the_other(output: str, reference: str) -> None:
    errors, right = matched(output, reference)
    assert errors.edits == fewest(output, reference)
    assert len(output) - errors.insertions == len(reference) - errors.deletions == len(right) + errors.substitutions
    assert all(output[ours] == reference[theirs] for ours, theirs in right)
    assert right == sorted(right)


def test_words_and_characters_are_counted() -> None:
    outputs, references = ["one two two", "", "three  four"], ["one too", "five", "three four"]
    errors = word_errors(outputs, references)
    assert (errors.substitutions, errors.insertions, errors.deletions, errors.units) == (1, 1, 1, 5)
    assert errors.rate == 3 / 5
    assert character_errors(["abc d"], ["abd  d"]) == Errors(1, 0, 0, 5)
    assert word_errors(["a b"], [""]).rate == 2
    assert word_errors([], []).rate == 0
