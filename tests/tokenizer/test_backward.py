"""The tokenizer of models that read a text from its end."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lstmlm.tokenizer import Tokenizer
from lstmlm.tokenizer.backward import BackwardTokenizer


@pytest.fixture(scope="module")
def both(model_file: Path) -> tuple[Tokenizer, BackwardTokenizer]:
    return Tokenizer(model_file), BackwardTokenizer(model_file)


@given(st.text(st.sampled_from("ab c\u00e9\u4e16"), max_size=20))
def test_ids_come_in_reversed_order_and_go_back_to_the_same_text(
    both: tuple[Tokenizer, BackwardTokenizer], text: str
) -> None:
    forward, backward = both
    assert backward.encode(text) == forward.encode(text)[::-1]
    assert backward.decode(backward.encode(text)) == forward.decode(forward.encode(text))


def test_rows_are_closed_by_end(both: tuple[Tokenizer, BackwardTokenizer]) -> None:
    forward, backward = both
    texts = ["one two", "", "three"]
    expected = [[*forward.encode(text)[::-1], Tokenizer.END] for text in texts]
    assert backward.encode_closed(texts).to_lists() == expected
