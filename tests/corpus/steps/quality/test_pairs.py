"""Each rule for pairs."""

from __future__ import annotations

import pytest

from lstmlm.corpus.steps.quality.pairs import pairs
from lstmlm.records.record import Record


@pytest.mark.parametrize(
    ("source", "targets", "reason"),
    [
        ("Go.", ("Va !",), None),
        ("Hi.", ("Bonjour à toi !",), None),
        ("Hi.", ("Bonjour à toi, mon cher !",), "pairs_length_ratio"),
        ("a" * 10, ("b" * 30,), None),
        ("a" * 10, ("b" * 31,), "pairs_length_ratio"),
        ("a" * 31, ("b" * 10,), "pairs_length_ratio"),
        ("a" * 10, ("b" * 30, "b" * 31), "pairs_length_ratio"),
        ("Have you already decided what you want to do after the exams?", ("你已经决定考试后做什么了吗？",), None),
        ("a" * 20, ("中" * 31,), "pairs_length_ratio"),
        ("Taxi!", ("Taxi !",), None),
        ("Taxi!", ("TAXI! ",), "pairs_copy"),
        ("A house", ("Une maison", "a house"), "pairs_copy"),
        (" ", ("Une maison",), "pairs_empty_side"),
        ("A house", ("Une maison", "\t"), "pairs_empty_side"),
        ("A house", (), "pairs_empty_side"),
    ],
)
def test_a_pair_is_evaluated_by_all_its_targets(source: str, targets: tuple[str, ...], reason: str | None) -> None:
    assert pairs([Record("1", source, targets)]) == [reason]
