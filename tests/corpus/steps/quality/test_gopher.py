"""Each Gopher quality rule, and all of them against plain loops."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lstmlm.corpus.steps.quality import gopher as rules
from lstmlm.corpus.steps.quality.texts import Texts
from lstmlm.corpus.steps.quality.words import segment


def reason(text: str) -> str | None:
    return rules.gopher(Texts([text]))[0]


def document(*parts: str, words: int = 60) -> str:
    """A document of `words` words that breaks no rule, with more after it."""
    return " ".join(["the", "cat", "of", *["word"] * (words - 3), *parts])


# One text that breaks the rule, one that is on the threshold.
CASES = {
    "gopher_short_document": (document(words=49), document(words=50)),
    "gopher_long_document": (document(words=100_001), document(words=100_000)),
    "gopher_short_words": ("the of " + "ab " * 96 + "abcd", "the of " + "abc " * 97 + "abcd"),
    "gopher_long_words": ("the of " + "a" * 11 + " " + "abcdefghij " * 100 + "a" * 30, "the of " + "abcdefghij " * 100),
    "gopher_hashes": (document("#", "#", "#", "#", "#", "#", "#"), document("#", "#", "#", "#", "#", "#")),
    "gopher_ellipses": (document(*["...", "…"] * 4, "end"), document(*["...", "…"] * 3, "end")),
    "gopher_bullet_lines": (
        "\n".join(["- " + document()] * 91 + ["x"] * 9),
        "\n".join(["• " + document()] * 90 + ["x"] * 10),
    ),
    "gopher_ellipsis_lines": (
        "\n".join([document() + " ..."] * 4 + [document()] * 6),
        "\n".join([document() + "… "] * 3 + [document()] * 7),
    ),
    "gopher_few_letters": (document("5", words=80) + " 17" * 20, document("5", words=80) + " 17" * 19),
    "gopher_few_stop_words": ("the " + "word " * 60, "the of " + "word " * 60),
}


@pytest.mark.parametrize("name", CASES)
def test_a_rule_drops_what_is_over_its_threshold_and_nothing_on_it(name: str) -> None:
    over, on = CASES[name]
    assert reason(over) == name
    assert reason(on) is None


def test_stop_words_are_words_as_written() -> None:
    assert reason("The OF theory offer " + "word " * 60) == "gopher_few_stop_words"


@pytest.mark.parametrize("text", ["", " \n ", "...", "# # #"])
def test_texts_without_words_are_short(text: str) -> None:
    assert reason(text) == "gopher_short_document"


def test_an_empty_block_has_no_reasons() -> None:
    assert rules.gopher(Texts([])) == []


CHINESE = "他昨天在北京的一家小饭馆里吃了一碗面条，然后坐地铁回家了。"
JAPANESE = "彼は昨日東京の小さな店で昼ご飯を食べて、電車で家に帰りました。"
THAI = "เมื่อวานนี้เขากินข้าวที่ร้านอาหารเล็กๆในกรุงเทพแล้วนั่งรถไฟกลับบ้าน "


@pytest.mark.parametrize("sentence", [CHINESE, JAPANESE, THAI])
def test_text_without_spaces_needs_no_english_words(sentence: str) -> None:
    assert reason(sentence * 6) is None
    assert reason(sentence) == "gopher_short_document"
    assert reason(sentence * 6 + "#" * 40) == "gopher_hashes"
    assert reason("\n".join([sentence * 2 + "…"] * 6)) == "gopher_ellipsis_lines"
    assert reason(sentence * 6 + " 20 31 452" * 15) == "gopher_few_letters"


def test_english_with_a_few_other_letters_is_measured_as_english() -> None:
    assert reason("word 中文 " * 30) == "gopher_few_stop_words"


def reference(text: str) -> str | None:
    tokens = segment([text]).strings(0)
    words = [token for token in tokens if any(c.isalnum() for c in token)]
    if len(words) < 50:
        return "gopher_short_document"
    if len(words) > 100_000:
        return "gopher_long_document"
    mean = sum(len(word) for word in words) / len(words)
    if mean < 3 or mean > 10:
        return "gopher_short_words" if mean < 3 else "gopher_long_words"
    if text.count("#") / len(tokens) > 0.1:
        return "gopher_hashes"
    if (text.count("...") + text.count("…")) / len(tokens) > 0.1:
        return "gopher_ellipses"
    lines = text.splitlines()
    if sum(line.strip()[:1] in ("-", "•") for line in lines if line.strip()) / len(lines) > 0.9:
        return "gopher_bullet_lines"
    if sum(line.rstrip()[-3:] == "..." or line.rstrip()[-1:] == "…" for line in lines) / len(lines) > 0.3:
        return "gopher_ellipsis_lines"
    if sum(any(c.isalpha() for c in token) for token in tokens) / len(tokens) < 0.8:
        return "gopher_few_letters"
    if len({"the", "be", "to", "of", "and", "that", "have", "with"} & set(tokens)) < 2:
        return "gopher_few_stop_words"
    return None


PIECES = st.sampled_from(
    ["the", "of", "word", "a", "extraordinarily", "#", "...", "…", "5", ",", "\n-", "\n", "...\n", "(x)"]
)
DOCUMENTS = st.builds(
    lambda common, pieces: " ".join([piece for piece in pieces for piece in (common, piece)]),
    st.sampled_from(["word", "the", "of", "ab", "electroencephalogram", "\n- word", "word #", "42 word"]),
    st.lists(PIECES, min_size=20, max_size=90),
)


@settings(deadline=None)
@given(texts=st.lists(DOCUMENTS, max_size=5))
def test_reasons_are_those_of_the_reference(texts: list[str]) -> None:
    assert rules.gopher(Texts(texts)) == [reference(text) for text in texts]
