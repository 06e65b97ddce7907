"""Credentials in URLs."""

from __future__ import annotations

import pytest

from lstmlm.corpus.steps.privacy.kinds.urls import find_url_credentials


def found(text: str) -> list[str]:
    return [text[span.start : span.end] for span in find_url_credentials(text)]


@pytest.mark.parametrize(
    ("text", "secrets"),
    [
        ("see https://ann:s3cret@example.org/a", ["ann:s3cret"]),
        ("postgres://app:p%40ss@[2001:db8::1]:5432/db", ["app:p%40ss"]),
        ("https://abcdefghijklmnopqrstuvwx@example.org/repo.git", ["abcdefghijklmnopqrstuvwx"]),
        ("https://example.org/?page=2&access_token=abcd1234&x=1", ["abcd1234"]),
        ("(https://example.org/?sig=aa%2Fbb)", ["aa%2Fbb"]),
        ("https://example.org/#id_token=ey.ab.cd", ["ey.ab.cd"]),
        ("https://a:bcd@example.org/?key=efgh.", ["a:bcd", "efgh"]),
    ],
)
def test_secrets(text: str, secrets: list[str]) -> None:
    assert found(text) == secrets


@pytest.mark.parametrize(
    "text",
    [
        "https://example.org:8080/a?page=12345",
        "ssh://git@example.org/repo",
        "https://example.org/a:b@c",
        "a?token=abcdef without a URL",
        "https://example.org/?monkey=banana",
    ],
)
def test_no_secrets(text: str) -> None:
    assert found(text) == []
