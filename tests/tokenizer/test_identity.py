"""A vocabulary is identified by its size and its content."""

import pytest

from lstmlm.errors import UserError
from lstmlm.publish.folder import Manifest
from lstmlm.tokenizer.identity import check_recipe_vocabulary, check_same_vocabulary, vocabulary_facts


def pieces(size, digest, **facts):
    return Manifest(
        "tokenizer", "stamp", {"tokenizer.model": {"bytes": 1, "sha256": digest}}, {"vocabulary": size} | facts
    )


ONE = pieces(600, "a" * 64)


@pytest.mark.parametrize(
    ("other", "message"),
    [
        (
            pieces(800, "b" * 64),
            "tokenizer: the examples were made with a vocabulary of 600 tokens, but the tokenizer has 800. Do",
        ),
        (
            pieces(600, "b" * 64),
            "made with vocabulary aaaaaaaaaaaa, and the tokenizer is bbbbbbbbbbbb, with as many tokens. Do",
        ),
    ],
    ids=["size", "content"],
)
def test_a_vocabulary_that_differs_is_reported_in_one_line(other, message):
    made_with = vocabulary_facts(ONE)
    check_same_vocabulary("examples", made_with, ONE, hint="Do")
    check_same_vocabulary("examples", None, other, hint="Do")  # nobody wrote down what it was
    with pytest.raises(UserError, match=message):
        check_same_vocabulary("examples", made_with, other, hint="Do")


def test_the_recipe_must_ask_for_this_vocabulary(recipe, tmp_path):
    check_recipe_vocabulary(recipe, ONE)
    with pytest.raises(
        UserError, match=r"tokenizer\.vocabulary: the recipe asks for 600 tokens, but the tokenizer has 800"
    ):
        check_recipe_vocabulary(recipe, pieces(800, "b" * 64))
    given = tmp_path / "given.model"
    section = recipe.tokenizer.model_copy(update={"model": given})
    brought = recipe.model_copy(update={"tokenizer": section})
    check_recipe_vocabulary(brought, ONE)  # the file is elsewhere, and nothing can be said
    given.write_bytes(b"pieces")
    with pytest.raises(UserError, match=r"tokenizer\.model: the tokenizer was not made from .*given\.model"):
        check_recipe_vocabulary(brought, ONE)


def test_a_recipe_of_words_asks_for_at_most_so_many(recipe):
    words = recipe.model_copy(update={"tokenizer": recipe.tokenizer.model_copy(update={"algorithm": "word"})})
    check_recipe_vocabulary(words, pieces(400, "a" * 64))
    with pytest.raises(UserError, match="the recipe asks for 600 tokens, but the tokenizer has 800"):
        check_recipe_vocabulary(words, pieces(800, "b" * 64))
