"""Each C4 rule."""

from __future__ import annotations

import pytest

from lstmlm.corpus.steps.quality.c4 import c4
from tests.corpus.languages import SENTENCES

GOOD = ["One sentence of five words.", "Is this a second one?", 'He said: "What a day!"']


def page(*lines: str) -> str:
    return "\n".join([*GOOD, *lines])


@pytest.mark.parametrize("line", GOOD)
def test_sentences_stay_as_they_are(line: str) -> None:
    cleaned = c4(page(line))
    assert (cleaned.text, cleaned.reason, dict(cleaned.lines)) == (page(line), None, {})


# A line that goes, and one that is just good enough.
LINES = {
    "c4_line_without_end_mark": ("This line has no end mark", "This line has an end mark."),
    "c4_short_line": ("Only four words here.", "There are five words here."),
    "c4_long_word": (f"This word is too {'x' * 1001} long.", f"This word is not {'x' * 1000} long."),
    "c4_javascript": ("Please enable JavaScript in your browser.", "Please enable Java in your browser."),
    "c4_policy": ("Please read our Privacy Policy first.", "Please read our privacy statement first."),
}


@pytest.mark.parametrize("name", LINES)
def test_a_rule_removes_its_lines(name: str) -> None:
    bad, good = LINES[name]
    cleaned = c4(page(bad))
    assert (cleaned.text, cleaned.reason, dict(cleaned.lines)) == (page(), None, {name: 1})
    assert c4(page(good)).text == page(good)


@pytest.mark.parametrize("end", ["...", "…"])
def test_an_ellipsis_ends_no_sentence(end: str) -> None:
    assert dict(c4(page("And then it continued" + end)).lines) == {"c4_line_without_end_mark": 1}


@pytest.mark.parametrize(
    ("line", "name"), [("function f() { return 1; }", "c4_curly_bracket"), ("Lorem Ipsum dolor", "c4_lorem_ipsum")]
)
def test_a_page_is_dropped_whole(line: str, name: str) -> None:
    cleaned = c4(page(line))
    assert (cleaned.reason, cleaned.text) == (name, page(line))


def test_sentences_are_counted_after_the_lines_are_removed() -> None:
    poor = "\n".join([*GOOD[:2], "A menu", "Another menu"])
    assert c4(poor).reason == "c4_few_sentences"
    assert c4(poor).text == poor
    assert c4("First this is said here. Then that. And this?").reason is None
    assert c4("").reason == "c4_few_sentences"


def test_titles_and_initials_end_no_sentence() -> None:
    assert c4("Then Mr. J. R. Smith saw Dr. Jones of the U.S. today. That was all.").reason == "c4_few_sentences"


def test_abbreviations_with_several_marks_end_a_sentence() -> None:
    assert c4("First this is said to Mr... Then that was said. And this too?").reason is None


@pytest.mark.parametrize("language", sorted(set(SENTENCES) - {"th"}))
def test_sentences_of_other_scripts_are_sentences(language: str) -> None:
    space = "" if language in ("ja", "km", "zh") else " "
    page = f"{SENTENCES[language]}\n{SENTENCES[language]}{space}{SENTENCES[language]}"
    cleaned = c4(f"{page}\nMenu\n主页")
    assert (cleaned.text, cleaned.reason) == (page, None)
    assert dict(cleaned.lines) == {"c4_line_without_end_mark": 2}


@pytest.mark.parametrize(
    "line",
    ["「今日はいい天気ですね、公園へ行きましょう。」", "« Il est venu hier soir avec elle. »", "क्या आप कल मेरे साथ आएंगे?"],
)
def test_quotes_of_other_scripts_end_a_line(line: str) -> None:
    assert c4(page(line)).text == page(line)


def test_short_lines_of_scripts_without_spaces_go() -> None:
    assert dict(c4(page("你好。", "今天天气真的很好，去公园吧。")).lines) == {"c4_short_line": 1}


def test_citations_are_removed() -> None:
    cleaned = c4(page("It was so in the end.[12] [citation needed]", "[edit] A title"))
    assert cleaned.text.splitlines()[-1] == "It was so in the end."
    assert dict(cleaned.lines) == {"c4_line_without_end_mark": 1}
