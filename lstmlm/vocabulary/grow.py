"""Grows a vocabulary by pieces of new text: the ids of the old pieces stay, so a model of it can be fine-tuned."""

from __future__ import annotations

import collections
import math
from collections.abc import Iterable, Iterator, Sequence

import sentencepiece

from lstmlm.errors import UserError
from lstmlm.recipe.sections.tokenizer import TokenizerSection
from lstmlm.tokenizer.sentencepiece.marks import SPACE_MARK
from lstmlm.tokenizer.sentencepiece.model_proto import algorithm, with_pieces
from lstmlm.vocabulary.merges import LEAST_COUNT, Merger, NewPiece, Symbol

Parts = list[list[int]]
"""For each new id, in their order, the ids that it decomposes into; they are smaller."""

_NAMES = {"char": "character"}


def grow(model: bytes, lines: Iterable[str], settings: TokenizerSection) -> tuple[bytes, Parts]:
    """Adds pieces to a SentencePiece model until it has `settings.vocabulary`.

    New characters come first, then merges of pieces, the most frequent in the text first (byte pair encoding,
    Sennrich et al. 2016); to a vocabulary of words or characters, the most frequent new ones. In a unigram model a
    new piece gets the log of its share of the tokens, or a little more than its two halves have together, whatever
    is more: a text is then cut into it.

    Args:
        model: The model to grow.
        lines: The new text, from `training_lines`.
        settings: The recipe's section.

    Returns:
        The model, and what each new piece decomposes into.

    Raises:
        UserError: It is large enough already, of another algorithm, or the text does not yield as many new pieces.
    """
    processor = sentencepiece.SentencePieceProcessor(model_proto=model)
    kind, size = algorithm(model), int(processor.get_piece_size())
    kind = _NAMES.get(kind, kind)
    if kind != settings.algorithm:
        what = f"the vocabulary that is to grow is of algorithm {kind}, and the recipe has {settings.algorithm}"
        raise UserError(what, where="tokenizer.algorithm", hint=f"Set it to {kind}")
    if settings.vocabulary <= size:
        what = f"the vocabulary that is to grow has {size} pieces already, and {settings.vocabulary} are asked for"
        raise UserError(what, where="tokenizer.vocabulary", hint=f"Set it to more than {size}")
    words = collections.Counter(word for line in lines for word in line.split())
    room = settings.vocabulary - size
    found = _words(processor, words, room) if kind == "word" else _merges(processor, words, room, kind)
    if len(found) < room and not settings.counts_what_is_there:
        what = f"the text yields only {len(found)} new pieces, and {room} are asked for"
        raise UserError(what, where="tokenizer.vocabulary", hint=f"Set it to {size + len(found)} or less")
    return with_pieces(model, list(_scored(processor, kind, found, words))), [list(piece.parts) for piece in found]


def _words(
    processor: sentencepiece.SentencePieceProcessor, words: collections.Counter[str], room: int
) -> list[NewPiece]:
    """Returns whole words that are no pieces yet."""
    ordered = sorted(words.items(), key=lambda found: (-found[1], found[0]))
    unknown = processor.unk_id()
    new = ((word, count) for word, count in ordered if processor.piece_to_id(SPACE_MARK + word) == unknown)
    taken = [(word, count) for word, count in new if count >= LEAST_COUNT][:room]
    return [NewPiece(SPACE_MARK + word, tuple(processor.encode(word)), count) for word, count in taken]


def _merges(
    processor: sentencepiece.SentencePieceProcessor, words: collections.Counter[str], room: int, kind: str
) -> list[NewPiece]:
    symbols = {tuple(symbols_of(processor, word)): count for word, count in words.items()}
    merger = Merger(symbols, {processor.id_to_piece(n) for n in range(processor.get_piece_size())})
    found = merger.characters()[:room]
    merger.add(found)
    if kind != "character":
        for piece in merger.merges():
            if len(found) == room:
                break
            found.append(piece)
    return found


def symbols_of(processor: sentencepiece.SentencePieceProcessor, word: str) -> Iterator[tuple[Symbol, tuple[int, ...]]]:
    """Yields the symbols of a word and the ids of each: pieces, and characters for what is spelled in bytes."""
    ids: Sequence[int] = processor.encode(word)
    spelled: list[int] = []
    for number in ids:
        if processor.is_byte(number):
            spelled.append(number)
            text = bytes(int(processor.id_to_piece(one)[1:-1], 16) for one in spelled)
            try:
                yield text.decode("utf-8"), tuple(spelled)
            except UnicodeDecodeError:
                continue  # the character is not whole yet
            spelled = []
        else:
            yield processor.id_to_piece(number), (number,)


def _scored(
    processor: sentencepiece.SentencePieceProcessor,
    kind: str,
    found: Sequence[NewPiece],
    words: collections.Counter[str],
) -> Iterator[tuple[str, float]]:
    """Yields new pieces with their scores."""
    scores = {processor.id_to_piece(n): float(processor.get_score(n)) for n in range(processor.get_piece_size())}
    lowest = min(scores.values())
    total = sum(count * len(processor.encode(word)) for word, count in words.items())
    for place, piece in enumerate(found):
        if kind == "unigram":
            score = math.log(piece.count / total)
            if piece.halves is not None:
                score = max(score, sum(scores[half] for half in piece.halves) + 1e-3)
        else:
            score = lowest - 1.0 - place  # BPE: the rank of the merge; the others: any order
        scores[piece.text] = score
        yield piece.text, score
