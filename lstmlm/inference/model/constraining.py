"""Translates the constraints of the `decoding` section into tokens, and rejects those the vocabulary cannot express."""

from __future__ import annotations

from pathlib import Path

from lstmlm.decoding.constraints.characters import in_word
from lstmlm.decoding.constraints.constraints import Constraints, Phrase
from lstmlm.decoding.constraints.forbidden import Forbidden
from lstmlm.decoding.constraints.phrase_automaton import PhraseAutomaton
from lstmlm.errors import UserError
from lstmlm.recipe.sections.decoding import DecodingSection
from lstmlm.tokenizer import Tokenizer, tokenizer_file

FORCED = "decoding.forced"


def check_constraints(export: Path, decoding: DecodingSection) -> None:
    """Checks, before any work, that outputs can be as `decoding.forced` and `decoding.forbidden` ask for.

    Raises:
        UserError: They cannot; see `constraints_of`.
    """
    if decoding.forced:
        constraints_of(decoding, Tokenizer(tokenizer_file(export)))


def constraints_of(decoding: DecodingSection, tokenizer: Tokenizer) -> Constraints:
    """Returns the rules.

    Raises:
        UserError: The vocabulary cannot write a forced phrase, it has a forbidden word in it, or `decoding.max_tokens`
            has no room for all of them.
    """
    if not decoding.forced and not decoding.forbidden:
        return Constraints(decoding.min_tokens, decoding.no_repeat_ngram)
    pieces = tokenizer.pieces()
    words = Forbidden(_written(decoding.forbidden, tokenizer), pieces) if decoding.forbidden else None
    forced = forced_phrases(decoding, tokenizer)
    lengthening = frozenset(n for n, piece in enumerate(pieces) if _lengthens(piece)) if forced else frozenset[int]()
    return Constraints(decoding.min_tokens, decoding.no_repeat_ngram, words, forced, lengthening)


def _written(words: tuple[str, ...], tokenizer: Tokenizer) -> set[str]:
    """Returns words as given and as the vocabulary writes them, which may be in another form of Unicode."""
    ids = (tokenizer.encode(word) for word in words)
    return {*words, *(tokenizer.decode(row) for row in ids if row and Tokenizer.UNK not in row)}


def _lengthens(piece: str | bytes) -> bool:
    """Says whether a word gets longer by a piece that follows it; a byte beyond ASCII may do so."""
    if isinstance(piece, bytes):
        return piece >= b"\x80" or in_word(piece.decode("ascii"))
    return bool(piece) and in_word(piece[0])


def forced_phrases(decoding: DecodingSection, tokenizer: Tokenizer) -> tuple[Phrase, ...]:
    """Returns the forced phrases as tokens, without those that are part of another.

    Raises:
        UserError: See `constraints_of`.
    """
    forbidden = PhraseAutomaton(decoding.forbidden)
    for text in decoding.forced:
        if forbidden.finds(text):
            hint = "Leave it out of one of them"
            raise UserError(f"{text!r} has a word of decoding.forbidden in it", where=FORCED, hint=hint)
    phrases = {text: tuple(tokenizer.encode(text)) for text in dict.fromkeys(decoding.forced)}
    for text, tokens in phrases.items():
        written = tokenizer.decode(tokens)
        if written != " ".join(text.split()):
            hint = "Write it as the vocabulary does, or take another"
            raise UserError(f"{text!r} would be written {written!r} with this vocabulary", where=FORCED, hint=hint)
    kept = tuple(
        one for one in phrases.values() if not any(one != other and _in(one, other) for other in phrases.values())
    )
    needed = sum(map(len, kept))
    if needed > decoding.max_tokens:
        what = f"the phrases take {needed} tokens, longer than decoding.max_tokens ({decoding.max_tokens})"
        raise UserError(what, where=FORCED, hint=f"Set decoding.max_tokens to {needed} or more, or force less")
    return kept


def _in(one: Phrase, other: Phrase) -> bool:
    return any(other[n : n + len(one)] == one for n in range(len(other) - len(one) + 1))
