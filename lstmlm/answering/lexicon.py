"""Tables of what the pieces of a vocabulary have in common, for examples and for the served graph."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from lstmlm.models.reader.shapes import Shape
from lstmlm.tokenizer import Tokenizer

Table = npt.NDArray[np.int32]

STEM = 4
"""Letters that two words of one stem have in common, about: `govern`, `government`."""
_SENTENCE_ENDS = frozenset(".!?。！？｡")


class Lexicon:
    """Tables of a vocabulary: int32 [pieces] each.

    Attributes:
        forms: The first piece that is equal but for case and the space before it; 0 for what has no letter or sign.
        stems: The same for the first letters of a piece; short pieces are their own.
        shapes: `Shape` of a piece, as far as it is known without its passage.

    Args:
        tokenizer: The vocabulary, a SentencePiece model.

    Raises:
        UserError: It is of another kind.
    """

    def __init__(self, tokenizer: Tokenizer) -> None:
        pieces = tokenizer.pieces()
        self.forms = _classes(pieces, _form)
        self.stems = _classes(pieces, lambda piece: _form(piece)[:STEM])
        self.shapes = np.array([_shape(piece) for piece in pieces], np.int32)

    def named_classes(self, name: str, ids: Table) -> dict[str, Table]:
        """Returns the forms and stems of tokens, as the features of a passage or a question are called."""
        return {f"{name}_form": self.forms[ids], f"{name}_stem": self.stems[ids]}


def _form(piece: str) -> str:
    return piece.strip().casefold()


def _classes(pieces: Sequence[str | bytes], key: Callable[[str], str]) -> Table:
    """Returns for each piece the first with the same key; bytes are their own, and an empty key is 0."""
    first: dict[str, int] = {"": 0}
    return np.array(
        [n if isinstance(piece, bytes) else first.setdefault(key(piece), n) for n, piece in enumerate(pieces)], np.int32
    )


def _shape(piece: str | bytes) -> int:
    if isinstance(piece, bytes):
        return int(Shape.BYTE)
    text = piece.strip()
    shape = Shape(0)
    shape |= Shape.SENTENCE_END if text and text[-1] in _SENTENCE_ENDS else Shape(0)
    shape |= Shape.WORD_START if piece.startswith(" ") else Shape(0)
    shape |= Shape.CAPITAL if text[:1].isupper() else Shape(0)
    shape |= Shape.CAPITALS if len(text) > 1 and text.isupper() else Shape(0)
    shape |= Shape.DIGIT if any(map(str.isdigit, text)) else Shape(0)
    shape |= Shape.PUNCTUATION if text and not any(map(str.isalnum, text)) else Shape(0)
    return int(shape)
