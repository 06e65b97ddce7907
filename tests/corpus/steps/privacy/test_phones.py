"""Phone numbers: those reserved for examples and fiction, as far as a country has some."""

from __future__ import annotations

import phonenumbers
import pytest

from lstmlm.corpus.steps.privacy.fold import fold
from lstmlm.corpus.steps.privacy.kinds.phones import Lookups, find_phones
from lstmlm.recipe.sections.corpus import Privacy

REGIONS = Privacy().regions


def found(text: str, *regions: str) -> list[str]:
    folded = fold(text)
    spans = map(folded.original, find_phones(folded.text, 0, len(folded.text), regions or REGIONS))
    return [text[span.start : span.end] for span in spans]


@pytest.mark.parametrize("region", [*REGIONS, "AU", "BR", "CH", "IN", "JP", "MX", "NL", "PL", "SE"])
@pytest.mark.parametrize("form", ["E164", "INTERNATIONAL", "NATIONAL"])
def test_example_numbers_of_libphonenumber(region: str, form: str) -> None:
    for kind in (phonenumbers.PhoneNumberType.FIXED_LINE, phonenumbers.PhoneNumberType.MOBILE):
        number = phonenumbers.example_number_for_type(region, kind)
        written = phonenumbers.format_number(number, getattr(phonenumbers.PhoneNumberFormat, form))
        assert found(f"Ann Lee\n{written}\nExample Ltd.", region) == [written]


@pytest.mark.parametrize(
    "number",
    [
        "(201) 555-0123",
        "(201)555-0123x0135",
        "201.555.0123",
        "2015550123",
        "1-201-555-0123 ext. 22",
        "001-201-555-0123",
        "+1-201-555-0123x565",
        "+44 (0)20 7946 0958",
        "0044 20 7946 0958",
        "020 7946 0958",
        "07700 900 123",
        "01.84.17.61.18",
        "+41 (0)96 471 07 95",  # no such range, but recognised by its form
        "030 23125000",
    ],
)
def test_written_like_phone_numbers(number: str) -> None:
    assert found(f"Ann Lee, {number}, London") == [number]


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("Fax: 9472 7916", "9472 7916"),
        ("Téléphone : 72 128 827", "72 128 827"),
        ("They're not answering at 450 0840", "450 0840"),
        ("Can someone call me on 71-33-52-22? Thanks", "71-33-52-22"),
        ("(37) 788-063-Office, then", "(37) 788-063"),
        ("781 1704 fax", "781 1704"),
        ('{"phone": "5550123"}', "5550123"),
        ("tel:863-1234", "863-1234"),
    ],
)
def test_invalid_here_but_called_a_number(text: str, number: str) -> None:
    assert found(text) == [number]


def test_two_numbers_side_by_side() -> None:
    assert found("(201) 555-0123 / (201) 555-0199") == ["(201) 555-0123", "(201) 555-0199"]
    assert found("61087 (201) 555-0123") == ["(201) 555-0123"]
    assert found("201-555-0123 4111 1111 1111 1111") == ["201-555-0123"]
    assert found("201-555-0123 - 201-555-0199") == ["201-555-0123", "201-555-0199"]


@pytest.mark.parametrize(
    "text",
    [
        "from 1999-2003 on",
        "(1688–1692)",
        "on 2016-04-05 10:22",
        "call of 12/11/2009",
        "pi is 3.14159265358979",
        "+6073641856.9",
        "ISBN 0-306-40615-2",
        "order no. 201-555-0123",
        "331 (2016) 32-44",
        "Boston, MA 02110-1301",
        "1 234 567 890 euros",
        "10 000 000",
        "0.12 0.34 0.56 0.78",
        "1 2 3 4 5 6 7 8 9 10",
        "12 34 56 78 90 12 34 56",
        "201  555  0123",
        "192.168.100.200",
        "epoch 1700000000",
        "https://example.org/item/2015550123",
        "size = 4341379928",
        "f(2147483648)",
        "0123456789",
        "x2015550123",
        "2015550123abc",
        "94941-2505",
        "$ 201 555 0123",
    ],
)
def test_not_phone_numbers(text: str) -> None:
    assert found(text) == []


def test_national_numbers_are_those_of_the_regions() -> None:
    assert found("at 0412 345 678", "AU") == ["0412 345 678"]
    assert found("at 0412 345 678", "US") == []


def test_past_a_limit_the_words_around_no_longer_keep_a_number_in_the_text() -> None:
    text = "Order no. 201-555-0123. " * 3
    for contexts, expected in ((100, 0), (0, 3)):
        spans = list(find_phones(text, 0, len(text), REGIONS, Lookups(contexts=contexts)))
        assert [text[span.start : span.end] for span in spans] == ["201-555-0123"] * expected
