"""Language identification and the filter of languages."""

from __future__ import annotations

import unicodedata
from pathlib import Path
from typing import Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from py3langid.langid import MODEL_FILE, LanguageIdentifier

from lstmlm.corpus.passes.block import Block
from lstmlm.corpus.steps.language import MARGIN, SAMPLE, UNDETERMINED, KeepLanguages, detector
from lstmlm.errors import UserError
from lstmlm.records.record import Record
from tests.corpus import languages

ENGLISH = "The weather will be fine in the north of the country tomorrow."
FRENCH = "Le temps sera beau dans le nord du pays demain matin."
GERMAN = "Das Wetter wird morgen im Norden des Landes schön sein."
JAPANESE = "明日は国の北部で天気が良くなるでしょう。"


@pytest.fixture(scope="module")
def peer() -> LanguageIdentifier:
    return LanguageIdentifier.from_pickled_model(MODEL_FILE)


SENTENCES = [ENGLISH, FRENCH, GERMAN, JAPANESE, "¿Dónde está la biblioteca, por favor?", "Где находится библиотека?"]


@settings(deadline=None)
@given(texts=st.lists(st.lists(st.sampled_from(" ".join(SENTENCES).split()), min_size=1).map(" ".join), max_size=20))
def test_languages_are_those_of_py3langid(peer: LanguageIdentifier, texts: list[str]) -> None:
    for text, language in zip(texts, detector().detect(texts), strict=True):
        scores = dict(peer.rank(text))
        # Where two are equally likely, rounding decides.
        assert language == UNDETERMINED or scores[language] >= max(scores.values()) - 1e-2


def test_common_languages_are_distinguished() -> None:
    assert detector().detect(SENTENCES) == ["en", "fr", "de", "ja", "es", "ru"]


@pytest.mark.parametrize("text", ["", " ", "12345", "!!! 7 ???", "\ud800"])
def test_text_without_language_is_undetermined(text: str) -> None:
    assert detector().detect([text, ENGLISH]) == [UNDETERMINED, "en"]


@settings(deadline=None)
@given(order=st.permutations(range(len(SENTENCES))))
def test_texts_do_not_influence_each_other(order: list[int]) -> None:
    single = [detector().detect([text])[0] for text in SENTENCES]
    assert detector().detect([SENTENCES[index] for index in order]) == [single[index] for index in order]


def test_short_text_is_taken_for_what_is_expected_where_that_is_about_as_likely(peer: LanguageIdentifier) -> None:
    short = "A la nation"
    free = detector().detect([short])[0]
    scores = dict(peer.rank(short))
    near = [language for language, score in scores.items() if 0.1 < scores[free] - score < MARGIN - 0.1]
    far = [language for language, score in scores.items() if scores[free] - score > MARGIN + 0.1]
    assert near
    assert [detector().detect([short], [language])[0] for language in near] == near
    assert {detector().detect([short], [language])[0] for language in far} == {free}


def test_long_text_is_evaluated_by_beginning_middle_and_end() -> None:
    filler = "1 " * SAMPLE
    assert detector().detect([filler + GERMAN]) == ["de"]
    assert detector().detect([GERMAN + filler]) == ["de"]
    assert detector().detect([filler + GERMAN + filler]) == ["de"]
    assert detector().detect([(ENGLISH + " ") * 5000]) == ["en"]


def block(*records: Record) -> Block:
    return Block(file=0, index=0, lines=len(records), records=list(records))


def test_other_languages_are_dropped_and_all_are_counted() -> None:
    records = [Record(str(index), text) for index, text in enumerate([ENGLISH, FRENCH, GERMAN, "1984"])]
    after = KeepLanguages(["en", "de"])(block(*records))
    assert after.records == [records[0], records[2], records[3]]
    assert dict(after.dropped) == {"language": 1}
    assert after.tallies == {"language": {"en": 1, "fr": 1, "de": 1, UNDETERMINED: 1}}


def test_both_sides_of_a_pair_are_evaluated() -> None:
    good = Record("1", ENGLISH, (FRENCH, FRENCH))
    swapped, copied = Record("2", FRENCH, (ENGLISH,)), Record("3", ENGLISH, (FRENCH, ENGLISH))
    step = KeepLanguages(["en"], ["fr"])
    after = step(block(good, swapped, copied))
    assert after.records == [good]
    assert dict(after.dropped) == {"language": 1, "target_language": 1}
    assert after.tallies == {"language": {"en": 2, "fr": 1}, "target_language": {"fr": 3, "en": 2}}
    assert step.reasons([good, swapped, copied]) == [None, "language", "target_language"]


def test_a_side_without_codes_is_not_looked_at() -> None:
    after = KeepLanguages(targets=["fr"])(block(Record("1", GERMAN, (FRENCH,))))
    assert len(after.records) == 1
    assert after.tallies == {"target_language": {"fr": 1}}
    assert KeepLanguages(["en"])(block()).records == []


@pytest.mark.parametrize(
    ("arguments", "where"), [((["en", "english"],), "corpus.languages"), (((), ["xx"]), "corpus.target_languages")]
)
def test_unknown_codes_are_the_users_to_fix(arguments: tuple[list[str], ...], where: str) -> None:
    with pytest.raises(UserError, match="no language has the code") as caught:
        KeepLanguages(*arguments)
    assert caught.value.where == where


def test_sentences_of_a_real_corpus_are_recognised(corpora: Path) -> None:
    lines = (corpora / "tatoeba_en_fr" / "valid.tsv").read_text(encoding="utf-8").splitlines()[1:]
    for column, code in enumerate(("en", "fr")):
        texts = [side for side in (line.split("\t")[column] for line in lines) if len(side) > 20]
        found = detector().detect(texts, [code])
        assert sum(language == code for language in found) >= 0.97 * len(texts)


@pytest.mark.parametrize("language", sorted(languages.SENTENCES))
@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_languages_of_many_scripts_are_known_in_every_normal_form(language: str, form: Literal["NFC", "NFD"]) -> None:
    text = unicodedata.normalize(form, languages.SENTENCES[language])
    assert detector().detect([text, text[: len(text) // 2]], [language]) == [language, language]
    assert detector().detect([text]) == [language]
