"""Texts full of personal data, of what looks like it, and of what is left when it is replaced."""

from __future__ import annotations

from hypothesis import strategies as st

KINDS = ("email", "phone", "card", "iban", "ip", "national_id", "url_credentials")

PIECES = (
    "ann@example.org",
    "user-0a1b2c3d@example.invalid",
    "+1 201-555-0123",
    "(201) 555-0123 ext. 7",
    "020 7946 0958",
    "Phone: ",
    " fax ",
    "call me on ",
    "4111 1111 1111 1111",
    "378282246310005",
    "GB82 WEST 1234 5698 7654 32",
    "203.0.113.77",
    "2001:db8::1",
    "536-90-4399",
    "NHS number 943 476 5870",
    "https://ann:pw1234@example.org/?token=abcd1234",
    "<PHONE>",
    "<EMAIL>",
    "<CARD-12345678>",
    "1999-2003",
    "é",
)


def texts() -> st.SearchStrategy[str]:
    """Pieces in any order, with characters between them that part or join them."""
    noise = st.text(alphabet="0123456789 .-/:@()<>?&+xaZ\n", max_size=6)
    return st.lists(st.one_of(st.sampled_from(PIECES), noise), max_size=10).map("".join)
