"""The served graph reads texts as the examples stage does, and says when there is no answer."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from lstmlm.answering.lexicon import Lexicon
from lstmlm.answering.limits import Limits
from lstmlm.answering.passages import tokens_of
from lstmlm.answering.served import Served
from lstmlm.bases.graph_tokenizer import GraphTokenizer
from lstmlm.models.reader.reader import Reader
from lstmlm.recipe.sections.model import ModelSection
from lstmlm.tokenizer import Tokenizer
from tests.answering.conftest import TEXT

pytestmark = pytest.mark.slow

LETTERS = "TheNorman 3,0.'\u2581\ue281\u00a0\n\t\u3000\u2028\x1f\x85\u200bé東\U0001f600"


@settings(max_examples=20, deadline=None)
@given(texts=st.lists(st.text(LETTERS, max_size=25), min_size=1, max_size=20))
def test_the_graph_finds_the_same_tokens_at_the_same_places(tokenizer: Tokenizer, texts: list[str]) -> None:
    ids, starts, ends = GraphTokenizer(tokenizer).places(tf.constant(texts))
    for n, text in enumerate(texts):
        tokens = tokens_of(text, tokenizer)
        before = [len(text[:place].encode()) for place in range(len(text) + 1)]
        assert ids[n].numpy().tolist() == tokens.ids.tolist()
        assert ends[n].numpy().tolist() == [before[end] for end in tokens.ends]
        for found, start, end in zip(starts[n].numpy(), tokens.starts, tokens.ends, strict=True):
            assert found == before[start] or end <= start  # of no length, so of no place


def served(tokenizer: Tokenizer, reader: Reader, *, no_answer: bool) -> Served:
    limits = Limits(longest=32, stride=16, question=8, no_answer=no_answer)
    return Served(reader, GraphTokenizer(tokenizer), Lexicon(tokenizer), limits)


def test_there_is_no_answer_where_that_is_more_probable(tokenizer: Tokenizer) -> None:
    reader = Reader(
        ModelSection(embedding=4, encoder_units=3, units=3, dropout=0.0),
        tokenizer.size,
        5,
        seed=1,
        precision=tf.float32,
    )
    question, context = tf.constant(["Who won?", "Who won?"]), tf.constant([TEXT, f"é東 {TEXT} {TEXT} {TEXT}"])
    found = {}
    for bias in (-50.0, 50.0):
        reader.none.bias.assign([bias])
        for no_answer in (False, True):
            answers = served(tokenizer, reader, no_answer=no_answer)(question, context)
            found[bias, no_answer] = {name: values.numpy() for name, values in answers.items()}
    sure, unsure = found[50.0, True], found[-50.0, True]
    assert sure["answer"].tolist() == [b"", b""]
    assert sure["start"].tolist() == sure["end"].tolist() == [0, 0]
    assert (sure["confidence"] > 0.99).all()
    assert (sure["odds"] < 0).all()
    for name in ("answer", "start", "end"):
        np.testing.assert_array_equal(unsure[name], found[50.0, False][name])
        np.testing.assert_array_equal(unsure[name], found[-50.0, False][name])
    np.testing.assert_allclose(unsure["confidence"], found[50.0, False]["confidence"], rtol=1e-3)
    for n, text in enumerate(context.numpy()):
        place = slice(unsure["start"][n], unsure["end"][n])
        assert text.decode()[place] == unsure["answer"][n].decode() != ""


def test_a_passage_without_text_has_no_answer(tokenizer: Tokenizer) -> None:
    reader = Reader(
        ModelSection(embedding=4, encoder_units=3, units=3), tokenizer.size, 5, seed=1, precision=tf.float32
    )
    answers = served(tokenizer, reader, no_answer=False)(
        tf.constant(["Who?", "", "Who?"]), tf.constant(["", TEXT, " \n"])
    )
    assert [text == b"" for text in answers["answer"].numpy()] == [True, False, True]
    assert answers["confidence"].numpy()[[0, 2]].tolist() == [0.0, 0.0]
    assert np.isfinite(answers["confidence"].numpy()).all()
