"""IP addresses."""

from __future__ import annotations

import pytest

from lstmlm.corpus.privacy.ips import find_ips


def found(text: str) -> list[str]:
    return [text[span.start : span.end] for span in find_ips(text)]


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("It came from 203.0.113.77.", "203.0.113.77"),
        ("http://192.168.0.1:8080/x", "192.168.0.1"),
        ("(10.0.0.0/8)", "10.0.0.0"),
        ("the host 8.8.8.8 answers", "8.8.8.8"),
        ("[2001:db8::1]:443", "2001:db8::1"),
        ("fe80::1%eth0", "fe80::1"),
        ("2001:0db8:85a3:0000:0000:8a2e:0370:7334 is up", "2001:0db8:85a3:0000:0000:8a2e:0370:7334"),
        ("from ::ffff:192.0.2.1", "::ffff:192.0.2.1"),
        ("Of 2001:db8::7: a note", "2001:db8::7"),
        ("address ::1", "::1"),
    ],
)
def test_addresses(text: str, address: str) -> None:
    assert found(text) == [address]


@pytest.mark.parametrize(
    "text",
    [
        "version 10.0.19.41",
        "v1.12.13.14",
        "release 7.10.15.2",
        "see section 3.12.1.4",
        "1.2.3.4 is a version",
        "256.1.1.1",
        "01.02.03.04",
        "1.22.33.44.55",
        "10.22.33.x",
        "at 12:30:45",
        "00:1a:2b:3c:4d:5e",
        "std::vector<int>",
        "x[1::2] and y[::1]",
        "a::b",
    ],
)
def test_not_addresses(text: str) -> None:
    assert found(text) == []
