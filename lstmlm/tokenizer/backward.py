"""A tokenizer for models that read a text from its end: ids come in reversed order, and go back to text likewise."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from lstmlm.tokenizer.rows import TokenRows
from lstmlm.tokenizer.tokenizer import Tokenizer


class BackwardTokenizer(Tokenizer):
    """As `Tokenizer`, with the last token of a text first. *end* still closes a row: there the text began."""

    backward = True

    def encode(self, text: str) -> list[int]:
        """Returns the token ids of a text, the last one first."""
        return super().encode(text)[::-1]

    def encode_closed(self, texts: Sequence[str]) -> TokenRows:
        """Returns the reversed token ids of each text with *end* behind them."""
        return reversed_rows(super().encode_closed(texts))

    def decode(self, ids: Iterable[int]) -> str:
        """Returns the text of token ids, the last token of the text first."""
        return super().decode(list(ids)[::-1])


def reversed_rows(rows: TokenRows) -> TokenRows:
    """Returns rows that are closed by *end*, with the ids before it in reversed order."""
    parts = [rows.ids[start:end] for start, end in zip(rows.starts, rows.ends, strict=True)]
    return TokenRows.joined([np.concatenate([part[-2::-1], part[-1:]]) for part in parts])
