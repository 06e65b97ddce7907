"""E-mail addresses."""

from __future__ import annotations

import pytest

from lstmlm.corpus.privacy.emails import find_emails


def found(text: str) -> list[str]:
    return [text[span.start : span.end] for span in find_emails(text)]


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("Write to ann.lee+news@mail.example.org.", "ann.lee+news@mail.example.org"),
        ("<ANN@EXAMPLE.COM>", "ANN@EXAMPLE.COM"),
        ("mailto:ann@example.org?subject=x", "ann@example.org"),
        ("'ann@example.org'", "ann@example.org"),
        ("_ann_b@example-site.co.uk,", "_ann_b@example-site.co.uk"),
        ("josé.müller@exämple.de", "josé.müller@exämple.de"),
        ("a@xn--exmple-cua.xn--p1ai", "a@xn--exmple-cua.xn--p1ai"),
    ],
)
def test_addresses(text: str, address: str) -> None:
    assert found(text) == [address]


def test_several_in_one_text() -> None:
    assert found("ann@example.org, bob@example.com;c@example.net") == [
        "ann@example.org",
        "bob@example.com",
        "c@example.net",
    ]


@pytest.mark.parametrize(
    "text",
    [
        "a @ b",
        "@ann said",
        "ann@localhost",
        "icon@2x.png",
        "well @-@ known",
        "pkg@1.2.3",
        "ann at example.org",
        "foo.@x.org",
    ],
)
def test_not_addresses(text: str) -> None:
    assert found(text) == []
