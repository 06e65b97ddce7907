"""Reads what a SentencePiece model says: its pieces, and how text is prepared before it is cut."""

from __future__ import annotations

import dataclasses
import enum
import struct
from collections.abc import Mapping

from lstmlm.records.protobuf import fields, number_of
from lstmlm.tokenizer.sentencepiece.model_proto import algorithm

# Numbers of the fields of sentencepiece_model.proto.
_PIECES, _TRAINER, _NORMALIZER = 1, 2, 3
_NAME, _SCORE, _KIND = 1, 2, 3
_SUFFIX, _BYTE_FALLBACK, _UNKNOWN_SURFACE = 24, 35, 44
_CHARSMAP, _PREFIX, _EXTRA_SPACES = 2, 3, 4


class Kind(enum.IntEnum):
    """What a piece is, with the numbers of the file format."""

    NORMAL = 1
    UNKNOWN = 2
    CONTROL = 3
    USER_DEFINED = 4
    UNUSED = 5
    BYTE = 6


@dataclasses.dataclass(frozen=True, slots=True)
class Piece:
    """A piece of the vocabulary.

    Attributes:
        name: Its text, U+2581 for a space; of a byte `<0x41>`.
        score: Natural logarithm of its probability (unigram), or minus the number of its merge (BPE).
        kind: What it is.
    """

    name: str
    score: float
    kind: Kind


@dataclasses.dataclass(frozen=True, slots=True)
class Contents:
    """What a model says.

    Attributes:
        pieces: By id.
        algorithm: `unigram`, `bpe`, `word` or `char`.
        byte_fallback: Whether what is no piece is spelled in bytes.
        unknown_surface: What the unknown piece is decoded to.
        charsmap: Precompiled rules that normalise text; empty: none.
        prefix: Whether a space is put before a text.
        extra_spaces: Whether runs of spaces become one, and none is kept at the ends.
        suffix: Whether the mark of a space is behind a word, not before it.
    """

    pieces: tuple[Piece, ...]
    algorithm: str
    byte_fallback: bool
    unknown_surface: str
    charsmap: bytes
    prefix: bool
    extra_spaces: bool
    suffix: bool


def contents_of(model: bytes) -> Contents:
    """Reads a serialized `ModelProto`.

    Raises:
        ValueError: It is none.
    """
    pieces: list[Piece] = []
    parts: dict[int, dict[int, bytes]] = {_TRAINER: {}, _NORMALIZER: {}}
    for key, content in fields(model):
        if key >> 3 == _PIECES:
            pieces.append(_piece(_numbered(content)))
        elif key >> 3 in parts:
            parts[key >> 3].update(_numbered(content))
    trainer, normalizer = parts[_TRAINER], parts[_NORMALIZER]
    return Contents(
        pieces=tuple(pieces),
        algorithm=algorithm(model),
        byte_fallback=_flag(trainer, _BYTE_FALLBACK, default=False),
        unknown_surface=trainer.get(_UNKNOWN_SURFACE, " \u2047 ".encode()).decode("utf-8"),
        charsmap=normalizer.get(_CHARSMAP, b""),
        prefix=_flag(normalizer, _PREFIX, default=True),
        extra_spaces=_flag(normalizer, _EXTRA_SPACES, default=True),
        suffix=_flag(trainer, _SUFFIX, default=False),
    )


def _numbered(message: bytes) -> dict[int, bytes]:
    """Returns number of a field -> its content; of a field that occurs twice the last one counts."""
    return {key >> 3: content for key, content in fields(message)}


def _piece(parts: Mapping[int, bytes]) -> Piece:
    score = struct.unpack("<f", parts[_SCORE])[0] if _SCORE in parts else 0.0
    kind = Kind(number_of(parts[_KIND])) if _KIND in parts else Kind.NORMAL
    return Piece(parts.get(_NAME, b"").decode("utf-8"), score, kind)


def _flag(parts: Mapping[int, bytes], number: int, *, default: bool) -> bool:
    return bool(number_of(parts[number])) if number in parts else default
