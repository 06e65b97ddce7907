"""Words around a number."""

from __future__ import annotations

import pytest

from lstmlm.corpus.steps.privacy.kinds.phone_context import says_code, says_other, says_phone


def around(text: str) -> tuple[str, int, int]:
    """The text without its brackets, and where they were."""
    start, end = text.index("["), text.index("]") - 1
    return text.replace("[", "").replace("]", ""), start, end


@pytest.mark.parametrize(
    "text", ["Phone: [1]", "mobile [1]", "Desk - [1]", "[1] (fax)", "[1]-Office", "reach her on [1]"]
)
def test_phone(text: str) -> None:
    assert says_phone(*around(text))


@pytest.mark.parametrize(
    "text", ["headphone [1]", "<PHONE> [1]", "Call him. It took [1]", "office [1] Kent Street", "[1] officers"]
)
def test_not_phone(text: str) -> None:
    assert not says_phone(*around(text))


@pytest.mark.parametrize(
    "text",
    ["ISBN [1]", "invoice number is [1]", "£[1]", "[1] people", "[1]%", "GTIN [1]", "订单号：[1]", "注文番号 [1]"],
)
def test_other(text: str) -> None:
    assert says_other(*around(text))
    assert not says_other(*around(text.translate({ord(c): "x" for c in "IBNnvmbr£pol%GT订单文番"})))


def test_code() -> None:
    assert says_code("size = 1", 7)
    assert says_code("f(1", 2)
    assert not says_code("Ann (1", 5)
