"""Quality rules and filters that this package does not know, from a recipe to the report."""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Sequence
from pathlib import Path

import pytest
from pydantic import BaseModel, ConfigDict, Field

from lstmlm.corpus.ingest import clean
from lstmlm.corpus.steps.privacy.kind import PrivacyKind
from lstmlm.corpus.steps.quality.rule_set import TextRules
from lstmlm.corpus.steps.step import Filter
from lstmlm.errors import UserError
from lstmlm.progress import Silent
from lstmlm.recipe.file import parse_recipe
from lstmlm.recipe.recipe import Recipe
from lstmlm.records.record import Record

HERE = "tests.corpus.steps.test_extensions"
TEXTS = ["a cat sat", "SHOUTED WORDS", "one two three four five six", "a dog ran"]


class NoShouting(TextRules):
    """A rule set of another package."""

    prefix = "shouting"

    def reasons(self, texts):
        return ["shouting_capitals" if text.isupper() else None for text in texts.texts]


class Length(BaseModel):
    """Options of the filter below."""

    model_config = ConfigDict(extra="forbid")
    words: int = Field(gt=0)


class LongTexts(Filter):
    """A filter of another package, with options."""

    Options = Length

    def __init__(self, options: Length) -> None:
        self._words = options.words

    def reasons(self, records):
        return ["long_text" if len(record.source.split()) > self._words else None for record in records]


class Badge(PrivacyKind):
    """A kind of personal data of another package."""

    name = "badge"

    def find(self, text):
        return (match.span() for match in re.finditer(r"\bB-[0-9]{4}\b", text))


class Always(Filter):
    """Drops everything, and has no options."""

    def reasons(self, records: Sequence[Record]) -> list[str | None]:
        return ["always"] * len(records)


class Later(LongTexts):
    """The same, in a later version."""

    version = "2"


def recipe(folder: Path, *lines: str) -> Recipe:
    (folder / "a.txt").write_text("\n".join(TEXTS) + "\n", encoding="utf-8")
    listed = "".join(f"  {line}\n" for line in lines)
    return parse_recipe(f"name: r\ntask: generate\ncorpus:\n  root: {folder}\n  train: a.txt\n{listed}", "r.yaml")


def kept(folder: Path) -> list[str]:
    files = sorted(folder.glob("documents-*.gz"))
    return [json.loads(line)["text"] for file in files for line in gzip.decompress(file.read_bytes()).splitlines()]


def test_rules_and_filters_from_outside_drop_and_are_counted(tmp_path: Path) -> None:
    filtered = f"filters: [{{name: '{HERE}:LongTexts', options: {{words: 4}}}}]"
    manifest = clean(recipe(tmp_path, f"quality: ['{HERE}:NoShouting']", filtered), tmp_path / "out", Silent())
    assert kept(tmp_path / "out") == ["a cat sat", "a dog ran"]
    assert manifest.facts["counts"]["dropped"] == {"shouting_capitals": 1, "long_text": 1}


def test_a_filter_without_options_is_named_by_a_string(tmp_path: Path) -> None:
    named, written = (
        recipe(tmp_path, f"filters: [{form}]") for form in (f"'{HERE}:Always'", f"{{name: '{HERE}:Always'}}")
    )
    assert named == written
    with pytest.raises(UserError, match="the corpus is empty"):
        clean(named, tmp_path / "out", Silent())


def test_a_kind_of_personal_data_from_outside_is_replaced_and_counted(tmp_path: Path) -> None:
    texts = ["ask B-1234 or a@b.org", "ＡＳＫ Ｂ-１２３４", "<BADGE> stays"]
    run = recipe(tmp_path, f"privacy: {{kinds: [email, '{HERE}:Badge']}}")
    (tmp_path / "a.txt").write_text("\n".join(texts) + "\n", encoding="utf-8")
    clean(run, tmp_path / "out", Silent())
    assert kept(tmp_path / "out") == ["ask <BADGE> or <EMAIL>", "ＡＳＫ <BADGE>", "<BADGE> stays"]
    report = json.loads((tmp_path / "out" / "report.json").read_text(encoding="utf-8"))
    assert report["privacy"] == {"badge": 2, "email": 1}


def test_options_and_version_of_a_filter_decide_the_result(tmp_path: Path) -> None:
    made = {
        clean(
            recipe(tmp_path, f"filters: [{{name: '{HERE}:{name}', options: {{words: {words}}}}}]"), out, Silent()
        ).fingerprint
        for name, words, out in [
            ("LongTexts", 4, tmp_path / "a"),
            ("LongTexts", 5, tmp_path / "b"),
            ("Later", 4, tmp_path / "c"),
        ]
    }
    assert len(made) == 3


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("quality: [gofer]", "corpus.quality.0: no quality rule set named 'gofer'. Did you mean `gopher`?"),
        (f"quality: ['{HERE}:Length']", "is not a quality rule set"),
        (f"quality: ['{HERE}:Nothing']", "cannot import the quality rule set"),
        ("privacy: {kinds: [mail]}", "corpus.privacy.kinds.0: no privacy kind named 'mail'. Did you mean `email`?"),
        (f"privacy: {{kinds: ['{HERE}:Length']}}", "is not a privacy kind"),
        ("filters: [{name: long}]", "no filter named 'long'"),
        (
            f"filters: [{{name: '{HERE}:LongTexts', options: {{words: 0}}}}]",
            "`words` cannot be 0. See the filter's own",
        ),
        (
            f"filters: [{{name: '{HERE}:LongTexts', options: {{word: 3}}}}]",
            "`words` is required, and not given, `word` does not exist",
        ),
        (f"filters: [{{name: '{HERE}:NoShouting'}}]", "is not a filter but"),
        (f"filters: ['{HERE}:NoShouting']", "is not a filter but"),
        (f"filters: ['{HERE}:LongTexts']", "`words` is required, and not given"),
    ],
)
def test_a_mistake_is_found_when_the_recipe_is_loaded(line: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(UserError) as caught:
        recipe(tmp_path, line)
    assert "r.yaml:6" in str(caught.value)
    assert message in str(caught.value)
