"""The step."""

from __future__ import annotations

import pickle

import pytest

from lstmlm.corpus.block import Block
from lstmlm.corpus.privacy.scrub import Scrub
from lstmlm.errors import UserError
from lstmlm.recipe_corpus import Privacy
from lstmlm.records import Record


def block(*records: Record) -> Block:
    return Block(0, 0, len(records), list(records))


def test_every_text_of_a_record() -> None:
    step = Scrub(Privacy(kinds=("email",)))
    before = block(Record("1", "to ann@example.org", ("bob@example.org", "nobody")), Record("2", "nothing"))
    after = step(before)
    assert after.records == [Record("1", "to <EMAIL>", ("<EMAIL>", "nobody")), Record("2", "nothing")]
    assert after.tallies == {"privacy": {"email": 2}}
    assert before.records[0].source == "to ann@example.org"


def test_a_clean_block_is_the_same() -> None:
    before = block(Record("1", "nothing here"))
    assert Scrub(Privacy(kinds=("email", "phone")))(before) is before


def test_the_key_stays_behind_when_the_step_travels(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CORPUS_KEY", "very-secret-indeed")
    step = Scrub(Privacy(kinds=("email",), action="pseudonym", key="CORPUS_KEY"))
    sent = pickle.dumps(step)
    assert b"very-secret-indeed" not in sent
    record = block(Record("1", "ann@example.org"))
    assert pickle.loads(sent)(record) == step(record)


def test_a_missing_key_is_told_before_anything_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CORPUS_KEY", raising=False)
    with pytest.raises(UserError, match="CORPUS_KEY is not set"):
        Scrub(Privacy(kinds=("email",), action="pseudonym", key="CORPUS_KEY"))
