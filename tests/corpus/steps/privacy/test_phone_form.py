"""Forms of numbers."""

from __future__ import annotations

import pytest

from lstmlm.corpus.steps.privacy.kinds.phone_form import (
    groups_of,
    is_count_or_code,
    is_grouped_like_one,
    is_something_else,
)


def test_groups() -> None:
    assert groups_of("+44 (0)20 7946-0958") == ("44", "0", "20", "7946", "0958")


@pytest.mark.parametrize(
    "value", ["2016-04-05", "5.4.2016 10", "1914-1918", "12 (2016) 32-44", "+3.141592", "10 000 000"]
)
def test_something_else(value: str) -> None:
    assert is_something_else(value)


def test_phone_numbers_are_not_something_else() -> None:
    assert not any(map(is_something_else, ["(201) 555-0123", "01.84.17.61.18", "2015 550 123", "+33 1 84 17 61 18"]))


@pytest.mark.parametrize(
    "value", ["0123456789", "2015550", "17005550123", "02110-1301", "201  555  0123", "0704.0001", "192.168.100.200"]
)
def test_counts_and_codes(value: str) -> None:
    assert is_count_or_code(value)


def test_phone_numbers_are_not_counts_or_codes() -> None:
    assert not any(
        map(is_count_or_code, ["2015550123", "030123456", "(201)555-0123", "201.555.0123", "01 84 17 61 18"])
    )


def test_the_national_grouping_is_one() -> None:
    assert is_grouped_like_one("12 34 56 78", ["12", "34", "56", "78"])
    assert not is_grouped_like_one("12 34 56 78", ["123", "456", "78"])


@pytest.mark.parametrize(
    ("value", "grouped"),
    [
        ("201-555-0123", True),
        ("0341 8387176", True),
        ("(201)555-0123", True),
        ("20155 50123", False),
        ("2 5 5 50123", False),
    ],
)
def test_other_groupings(value: str, grouped: bool) -> None:
    assert is_grouped_like_one(value, []) is grouped
