"""Writes a SentencePiece vocabulary as a `tokenizer.json`: the same ids for the same text.

The steps are those of `lstmlm.tokenizer.sentencepiece.processor` in the words of the library `tokenizers`: the marks
are escaped, spaces tidied and written as U+2581, and the text is cut by the same pieces with the same scores.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

import tokenizers
from tokenizers import decoders, models, normalizers, pre_tokenizers

from lstmlm.errors import UserError
from lstmlm.tokenizer.sentencepiece.contents import Contents, Kind, contents_of
from lstmlm.tokenizer.sentencepiece.marks import ESCAPE, ESCAPED_ESCAPE, ESCAPED_MARK, SPACE_MARK
from lstmlm.tokenizer.special import UNK

_MANY = 1_000_000


def as_json(model: bytes, *, keeps_marks: bool, whole_words: bool) -> tokenizers.Tokenizer:
    """Converts a model.

    Args:
        model: A serialized `ModelProto` with the special ids of this project.
        keeps_marks: See `lstmlm.tokenizer.sentencepiece.processor.SentencePiece`.
        whole_words: See there.

    Returns:
        A tokenizer with the same ids. Its special pieces are entries of the vocabulary that no text gives.

    Raises:
        UserError: The model writes the space behind words, which `tokenizers` does not know.
    """
    found = contents_of(model)
    if found.suffix:
        what = "this vocabulary writes the space behind a word, and a tokenizer.json cannot"
        raise UserError(what, where="tokenizer.model", hint="Train the vocabulary without treat_whitespace_as_suffix")
    made = tokenizers.Tokenizer(_model(found))
    made.normalizer = normalizers.Sequence(list(_normalizers(found, keeps_marks=keeps_marks)))
    steps = list(_splits(found))
    if steps:
        made.pre_tokenizer = pre_tokenizers.Sequence(steps)
    made.decoder = decoders.Sequence(list(_decoders(found, keeps_marks=keeps_marks, whole_words=whole_words)))
    return made


def _model(found: Contents) -> models.Model:
    if found.algorithm == "unigram":
        scored = [(piece.name, piece.score) for piece in found.pieces]
        return models.Unigram(scored, unk_id=UNK, byte_fallback=found.byte_fallback)
    vocabulary = {piece.name: number for number, piece in enumerate(found.pieces)}
    return models.BPE(
        vocabulary,
        _merges(found) if found.algorithm == "bpe" else [],
        unk_token=found.pieces[UNK].name,
        fuse_unk=True,  # a run of unknown characters is one unknown piece
        byte_fallback=found.byte_fallback,
        # A word that is a piece is that piece; the merges of a symbol are not known.
        ignore_merges=found.algorithm != "bpe" or bool(_symbols(found)),
    )


def _merges(found: Contents) -> list[tuple[str, str]]:
    """Returns every way to put two pieces together that gives a third, in the order in which SentencePiece does it."""
    scores = {piece.name: piece.score for piece in found.pieces if piece.kind == Kind.NORMAL}
    ranked: list[tuple[float, int, tuple[str, str]]] = []
    for name, score in scores.items():
        for place in range(1, len(name)):
            left, right = name[:place], name[place:]
            if left in scores and right in scores:
                ranked.append((-score, place, (left, right)))
    return [pair for _, _, pair in sorted(ranked, key=lambda one: one[0])]


def _normalizers(found: Contents, *, keeps_marks: bool) -> Iterator[normalizers.Normalizer]:
    if keeps_marks:
        yield normalizers.Replace(ESCAPE, ESCAPED_ESCAPE)
        yield normalizers.Replace(SPACE_MARK, ESCAPED_MARK)
    if found.charsmap:
        yield normalizers.Precompiled(found.charsmap)
    if found.extra_spaces:
        yield normalizers.Replace(tokenizers.Regex(r"\A +"), "")
        # SentencePiece takes its own mark for a space at the end, where it was not escaped, and only there.
        yield normalizers.Replace(tokenizers.Regex(rf"[ {SPACE_MARK}]+\z"), "")
        yield normalizers.Replace(tokenizers.Regex(" +"), " ")
    if found.prefix:
        yield normalizers.Prepend(SPACE_MARK)
    yield normalizers.Replace(" ", SPACE_MARK)


def _splits(found: Contents) -> Iterator[pre_tokenizers.PreTokenizer]:
    """Yields where text is cut before the model sees it."""
    if found.algorithm == "unigram":
        hidden = [piece.name for piece in found.pieces if piece.kind in (Kind.UNKNOWN, Kind.CONTROL)]
        # Text that spells the name of a special piece, or of a byte, is text: it is cut behind its first character.
        named = [(re.escape(name[0]), re.escape(name[1:])) for name in hidden if len(name) > 1]
        named += [("<", "0x[0-9A-F][0-9A-F]>")] if found.byte_fallback else []
        starts = "|".join(f"(?<={first})(?={rest})" for first, rest in named)
        yield pre_tokenizers.Split(tokenizers.Regex(starts), "isolated")
    if symbols := _symbols(found):
        longest = "|".join(map(re.escape, sorted(symbols, key=len, reverse=True)))
        yield pre_tokenizers.Split(tokenizers.Regex(longest), "isolated")
    if found.algorithm == "word" or all(SPACE_MARK not in piece.name[1:] for piece in found.pieces):
        yield pre_tokenizers.Split(SPACE_MARK, "merged_with_next")


def _symbols(found: Contents) -> Sequence[str]:
    return [piece.name for piece in found.pieces if piece.kind == Kind.USER_DEFINED]


def _decoders(found: Contents, *, keeps_marks: bool, whole_words: bool) -> Iterator[decoders.Decoder]:
    name, surface = found.pieces[UNK].name, found.unknown_surface
    if surface != name:  # while each piece is by itself: a text may spell the name
        yield decoders.Replace(name, surface)
    if not whole_words:
        yield decoders.Replace(SPACE_MARK, " ")
    if found.byte_fallback:
        yield decoders.ByteFallback()
    yield decoders.Fuse()
    if whole_words:
        yield decoders.Replace(SPACE_MARK, " ")
    if found.prefix:
        # SentencePiece leaves out every space before the first letter, where it does so in what it cuts.
        yield decoders.Strip(" ", _MANY if found.extra_spaces and not whole_words else 1, 0)
    if keeps_marks:
        yield decoders.Replace(ESCAPED_MARK, SPACE_MARK)
        yield decoders.Replace(ESCAPED_ESCAPE, ESCAPE)
