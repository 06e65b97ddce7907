"""Columns of a record come back as they were written, and spans are found again in cleaned texts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lstmlm.records.columns import Span, restored, stored
from lstmlm.records.record import Record, deserialize, serialize

NUMBERS = st.integers(-(2**63), 2**63 - 1)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
VALUES = st.one_of(
    TEXTS,
    st.binary(max_size=20),
    NUMBERS,
    st.floats(allow_nan=False),
    st.lists(TEXTS, min_size=1).map(tuple),
    st.lists(NUMBERS, min_size=1).map(tuple),
    st.lists(st.floats(allow_nan=False), min_size=1).map(tuple),
    st.builds(Span, st.integers(0, 9), st.integers(9, 99)),
)


@given(TEXTS, TEXTS, st.lists(TEXTS), st.dictionaries(TEXTS, VALUES))
def test_a_record_with_columns_comes_back_as_it_was(record_id, source, targets, columns):
    record = Record(record_id, source, tuple(targets), columns=columns)
    assert deserialize(serialize(record)) == record


def test_a_record_without_columns_is_stored_as_before():
    assert serialize(Record("a", "b", ("c",))) == serialize(Record("a", "b", ("c",), columns={}))
    assert b"column" not in serialize(Record("a", "b", ("c",)))


@pytest.mark.parametrize("value", [None, True, {"a": 1}, [1], (1, "a")])
def test_a_value_of_no_kind_is_refused(value):
    with pytest.raises(TypeError, match="a column cannot hold"):
        stored(value)


@pytest.mark.parametrize(("kind", "values"), [("new", [b""]), ("int", [b"123"]), ("text", []), ("span", [b"12345678"])])
def test_damaged_columns_are_refused(kind, values):
    with pytest.raises(ValueError, match="column"):
        restored(kind, values)


def tidy(text: str) -> str:
    """Makes runs of spaces one, and none at the ends."""
    return " ".join(text.split())


@given(st.text("ab ", min_size=1, max_size=30), st.data())
def test_a_span_of_a_cleaned_text_is_the_cleaned_text_of_the_span(source, data):
    start = data.draw(st.integers(0, len(source) - 1))
    end = data.draw(st.integers(start + 1, len(source)))
    found = Record("1", source, columns={"answer": Span(start, end)}).with_texts(tidy)
    if tidy(source) == source:
        assert found is not None
        assert found.columns["answer"] == Span(start, end)
    elif not tidy(source[start:end]):
        assert found is None
    else:
        assert found is not None
        span = found.columns["answer"]
        assert found.source[span.start : span.end] == tidy(source[start:end])


def test_of_equal_parts_the_span_stays_at_the_one_it_was_at():
    source = "so  it is   so,  and so   on"
    for start in (0, 12, 21):
        assert source[start : start + 2] == "so"
        found = Record("1", source, columns={"answer": Span(start, start + 2)}).with_texts(tidy)
        assert found is not None
        assert found.columns["answer"].start == len(tidy(source[:start] + "so")) - 2


def test_a_span_may_be_of_a_column_which_is_cleaned_too():
    record = Record("1", "x", columns={"passage": "a   b  c", "answer": Span(4, 8, "passage")})
    found = record.with_texts(tidy)
    assert found == Record("1", "x", columns={"passage": "a b c", "answer": Span(2, 5, "passage")})
