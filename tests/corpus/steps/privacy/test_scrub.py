"""The step."""

from __future__ import annotations

import collections
import pickle

import pytest

from lstmlm.corpus.passes.block import Block, Excluded
from lstmlm.corpus.steps.privacy.kinds.phones import MOST_LOOKUPS
from lstmlm.corpus.steps.privacy.scrub import Scrub
from lstmlm.errors import UserError
from lstmlm.recipe.sections.corpus import Privacy
from lstmlm.records.record import Record


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


def test_a_missing_key_is_reported_before_anything_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CORPUS_KEY", raising=False)
    with pytest.raises(UserError, match="CORPUS_KEY is not set"):
        Scrub(Privacy(kinds=("email",), action="pseudonym", key="CORPUS_KEY"))


def test_what_was_dropped_and_what_is_said_of_dead_rows_is_scrubbed_too() -> None:
    excluded = [Excluded(Record("1", "to ann@example.org", ("bob@example.org",)), "rule", "like ann@example.org")]
    dead = [{"file": "a.txt", "line": 7, "reason": "no column 'ann@example.org'"}]
    before = Block(0, 0, 2, [], collections.Counter(rule=1), dead, excluded)
    after = Scrub(Privacy(kinds=("email",)), exclusions=True)(before)
    assert after.excluded == [Excluded(Record("1", "to <EMAIL>", ("<EMAIL>",)), "rule", "like <EMAIL>")]
    assert after.dead == [{"file": "a.txt", "line": 7, "reason": "no column '<EMAIL>'"}]
    assert after.tallies == {"privacy_in_exclusions": {"email": 2}}
    assert before.excluded[0].record.source == "to ann@example.org"
    # Nobody reads them where they are not written.
    assert Scrub(Privacy(kinds=("email",)))(before).excluded is before.excluded


def test_a_text_that_does_not_settle_is_dropped_with_a_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lstmlm.corpus.steps.privacy.scrubber.MOST_ROUNDS", 1)
    step = Scrub(Privacy(kinds=("email",)))
    after = step(block(Record("1", "to ann@example.org"), Record("2", "nothing")))
    assert [record.id for record in after.records] == ["2"]
    assert after.dropped == {"privacy_unsettled": 1}
    assert after.excluded[0].record.source == "<REMOVED>"


def test_a_directory_of_numbers_is_read_by_their_form() -> None:
    numbers = [f"(201) 555-{number:04d}" for number in range(MOST_LOOKUPS + 50)]
    after = Scrub(Privacy(kinds=("phone",)))(block(Record("1", "; ".join(numbers)), Record("2", numbers[3])))
    assert after.tallies["privacy"] == {"phone": MOST_LOOKUPS + 51, "phone_unchecked": 50}
    assert after.records[0].source == "; ".join(["<PHONE>"] * len(numbers))
    assert after.records[1].source == "<PHONE>"
