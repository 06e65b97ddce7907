"""Reads a serialized SentencePiece model, and maps its special pieces to this project's ids.

SentencePiece's own Python classes of these messages need a newer protobuf than TensorFlow 2.16 and TFX allow.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence

import sentencepiece

from lstmlm.records.protobuf import FIELD_1, FIELD_2, field, fields, varint
from lstmlm.tokenizer.sentencepiece.processor import special_ids
from lstmlm.tokenizer.special import BEGIN, END, PAD, UNK

# Keys of sentencepiece_model.proto (number << 3 | wire type): of ModelProto, ...
_PIECE = 1 << 3 | 2
_TRAINER_SPEC = 2 << 3 | 2
# ... of SentencePiece, ...
_SCORE = b"\x15\x00\x00\x00\x00"  # score (2) = 0.0
_CONTROL = b"\x18\x03"  # type (3) = CONTROL
# ... and of TrainerSpec; special id of this project -> (number of its id, number of its name).
_MODEL_TYPE = 3 << 3
_ALGORITHMS = {1: "unigram", 2: "bpe", 3: "word", 4: "char"}
_SPEC = {UNK: (40, 45), BEGIN: (41, 46), END: (42, 47), PAD: (43, 48)}
_NAMES = {PAD: "<|pad|>", BEGIN: "<|begin|>", END: "<|end|>"}


def renumbered(model: bytes) -> bytes:
    """Returns the same SentencePiece model with pad, unknown, begin and end as the ids 0, 1, 2 and 3.

    The other pieces keep their order, scores and kinds, so a text is cut into the same pieces. A special piece that the
    model does not have is added. A model that has these ids already comes back as it is.

    Args:
        model: A serialized `ModelProto`.

    Raises:
        RuntimeError: It is not a SentencePiece model.
    """
    found = special_ids(sentencepiece.SentencePieceProcessor(model_proto=model))
    if found == (PAD, UNK, BEGIN, END):
        return model
    parts = list(fields(model))
    pieces = [content for key, content in parts if key == _PIECE]
    others = b"".join(field(varint(key), content) for key, content in parts if key != _PIECE)
    places = _places(found)
    front = [_new_piece(_NAMES[role]) if place is None else pieces[place] for role, place in sorted(places.items())]
    moved = set(places.values())
    rest = [content for place, content in enumerate(pieces) if place not in moved]
    # A message that occurs twice is merged, and of a number or a text the last one counts.
    spec = field(FIELD_2, b"".join(_settings(places)))
    return b"".join(field(FIELD_1, content) for content in (*front, *rest)) + others + spec


def with_pieces(model: bytes, pieces: Sequence[tuple[str, float]]) -> bytes:
    """Returns a SentencePiece model with more pieces; they get the ids behind those that are there.

    Args:
        model: A serialized `ModelProto`.
        pieces: The text of each piece, with U+2581 for a space, and its score.
    """
    added = (field(FIELD_1, text.encode("utf-8")) + _SCORE[:1] + struct.pack("<f", score) for text, score in pieces)
    # Fields that may repeat are a list in the order they are written in, wherever in the message they are.
    return model + b"".join(field(FIELD_1, content) for content in added)


def algorithm(model: bytes) -> str:
    """Returns `unigram`, `bpe`, `word` or `char`.

    Args:
        model: A serialized `ModelProto`.
    """
    found = 1  # the default
    for key, content in fields(model):
        if key == _TRAINER_SPEC:
            found = next((value[0] for part, value in fields(content) if part == _MODEL_TYPE), found)
    return _ALGORITHMS[found]


def _places(found: tuple[int, int, int, int]) -> dict[int, int | None]:
    """Returns special id of this project -> place in the model; None: a new piece, so that no two share one."""
    places: dict[int, int | None] = {}
    # Where begin and end are one piece, it is the end.
    for role in (UNK, END, PAD, BEGIN):
        place = found[role]
        places[role] = place if place >= 0 and place not in places.values() else None
    return places


def _new_piece(name: str) -> bytes:
    return field(FIELD_1, name.encode("utf-8")) + _SCORE + _CONTROL


def _settings(places: dict[int, int | None]) -> Iterator[bytes]:
    """Yields the fields of TrainerSpec that say where the special pieces are."""
    for role, place in sorted(places.items()):
        number, name = _SPEC[role]
        yield varint(number << 3) + varint(role)
        if place is None:
            yield field(varint(name << 3 | 2), _NAMES[role].encode("utf-8"))
