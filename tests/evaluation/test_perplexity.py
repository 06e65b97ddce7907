"""Perplexity by token and word."""

import math

from lstmlm.evaluation.perplexity import count_words, perplexity, word_perplexity


def test_uniform_model_has_the_perplexity_of_its_vocabulary() -> None:
    assert math.isclose(perplexity(50 * math.log(1000), 50), 1000)


def test_without_tokens_there_is_no_perplexity() -> None:
    assert math.isnan(perplexity(0.0, 0))


def test_huge_loss_is_infinite_not_an_overflow() -> None:
    assert perplexity(1e9, 1) == math.inf


def test_words_pay_for_all_their_pieces() -> None:
    words = count_words(["a bc", "  d\te \n"])
    assert words == 4
    assert math.isclose(word_perplexity(8 * math.log(3), words), 9)


def test_characters_are_words_where_no_spaces_are_written() -> None:
    assert count_words(["今天天气很好，我们去公园。"]) == 13
    assert count_words(["我有 two cats。"]) == 4
