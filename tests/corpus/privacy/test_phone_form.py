"""Forms of numbers."""

from __future__ import annotations

import pytest

from lstmlm.corpus.privacy.phone_form import groups_of, is_something_else, is_written_like_one


def test_groups() -> None:
    assert groups_of("+44 (0)20 7946-0958") == ["44", "0", "20", "7946", "0958"]


@pytest.mark.parametrize(
    "value", ["2016-04-05", "5.4.2016 10", "1914–1918", "12 (2016) 32-44", "+3.141592", "10 000 000"]
)
def test_something_else(value: str) -> None:
    assert is_something_else(value)


def test_phone_numbers_are_not_something_else() -> None:
    assert not any(map(is_something_else, ["(201) 555-0123", "01.84.17.61.18", "2015 550 123", "+33 1 84 17 61 18"]))


def test_the_national_grouping_is_one() -> None:
    assert is_written_like_one("12 34 56 78", ["12", "34", "56", "78"])
    assert not is_written_like_one("12 34 56 78", ["123", "456", "78"])


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("201-555-0123", True),
        ("0341 8387176", True),
        ("20155 50123", False),
        ("2.5.5.5.0123", False),
        ("2015550123", True),
    ],
)
def test_other_groupings(value: str, written: bool) -> None:
    assert is_written_like_one(value, []) is written
