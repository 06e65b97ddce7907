"""Words and spans, and that the exported model finds the same words."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lstmlm.bases.labels.examples import words_encoded
from lstmlm.bases.labels.words import (
    SPACES,
    LabelledSpan,
    found_places,
    tagged_spans,
    word_labels,
    word_pattern,
    word_places,
)
from lstmlm.recipe.sections.tokenizer import TokenizerSection
from lstmlm.tokenizer import Tokenizer
from lstmlm.vocabulary.train import train_model

LETTERS = "ab É\u0301ü_-1٣ 模型のカーไทยกำ\t.,'\u00a0\u3000\u2028\x1c\x85한국 ЖДё"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("New York's U.S. office", ["New", "York", "'", "s", "U", ".", "S", ".", "office"]),
        ("用AI模型", ["用", "AI", "模", "型"]),
        ("e\u0301tat  3,14 €", ["e\u0301tat", "3", ",", "14", "€"]),
        ("สวัสดี ok", [*"สวัสดี", "ok"]),
        ("", []),
    ],
)
def test_words_of_a_text(text: str, words: list[str]) -> None:
    assert [text[start:end] for start, end in word_places(text)] == words


@given(st.text(LETTERS, max_size=30))
def test_every_character_that_is_no_space_is_in_one_word(text: str) -> None:
    places = word_places(text)
    assert "".join(text[start:end] for start, end in places) == "".join(text.split())
    assert found_places(text, [text[start:end] for start, end in places]) == places


@given(st.data())
def test_spans_at_the_bounds_of_words_survive_labels_and_back(data: st.DataObject) -> None:
    words = data.draw(st.lists(st.text("abc", min_size=1, max_size=4), min_size=1, max_size=8))
    text = " ".join(words)
    places, spans, at = word_places(text), [], 0
    while at < len(places):
        length = data.draw(st.integers(0, 3))
        if length:
            last = min(at + length, len(places)) - 1
            spans.append(LabelledSpan(places[at][0], places[last][1], data.draw(st.sampled_from("XY"))))
        at += max(1, length)
    labels, lost = word_labels(places, spans)
    assert (tagged_spans(places, labels), lost) == (spans, 0)


def test_spans_that_share_words_and_labels_out_of_place() -> None:
    places = [(0, 1), (2, 3), (4, 5)]
    assert word_labels(places, [LabelledSpan(0, 3, "X"), LabelledSpan(2, 5, "Y"), LabelledSpan(2, 3, "Z")]) == (
        ["B-X", "I-X", "B-Y"],
        1,
    )
    assert tagged_spans(places, ["I-X", "B-X", "I-Y"]) == [
        LabelledSpan(0, 1, "X"),
        LabelledSpan(2, 3, "X"),
        LabelledSpan(4, 5, "Y"),
    ]
    assert tagged_spans(places, ["NOUN", "NOUN", "O"]) == [LabelledSpan(0, 1, "NOUN"), LabelledSpan(2, 3, "NOUN")]


def test_the_graph_finds_the_same_words_and_tokens(tmp_path: Path) -> None:
    import tensorflow as tf

    from lstmlm.bases.graph_tokenizer import GraphTokenizer

    draw = random.Random(1)
    texts = ["".join(draw.choice(LETTERS) for _ in range(draw.randrange(0, 25))) for _ in range(300)]
    (tmp_path / "tokenizer.model").write_bytes(train_model(iter(texts), TokenizerSection(vocabulary=300)))
    tokenizer = Tokenizer(tmp_path / "tokenizer.model")
    tokens, words, first, cut = GraphTokenizer(tokenizer).words(tf.constant(texts), word_pattern(), SPACES, 16)
    for row, text in enumerate(texts):
        places = word_places(text)
        ids, starts, more = words_encoded(text, places, tokenizer, 16)
        assert np.trim_zeros(tokens[row].numpy()).tolist() == ids.tolist()
        assert first[row, : len(starts)].numpy().tolist() == starts.tolist()
        found = [word.decode() for word in words[row].numpy() if word]
        assert found == [text[start:end] for start, end in places[: len(starts)]]
        assert int(cut[row]) == more
