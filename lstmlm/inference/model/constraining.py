"""Translates the constraints of the `decoding` section into tokens, and rejects those the vocabulary cannot express."""

from __future__ import annotations

import functools
from pathlib import Path

from lstmlm.decoding.constraints.characters import in_word
from lstmlm.decoding.constraints.constraints import Constraints, Phrase
from lstmlm.decoding.constraints.forbidden import Forbidden
from lstmlm.decoding.constraints.phrase_automaton import PhraseAutomaton
from lstmlm.decoding.constraints.spelling import Spelling
from lstmlm.errors import UserError
from lstmlm.inference.input.own_constraints import OwnConstraints
from lstmlm.recipe.sections.decoding import DecodingSection
from lstmlm.task import BadRecord
from lstmlm.tokenizer import Tokenizer, tokenizer_file

FORCED = "decoding.forced"


def check_constraints(export: Path, decoding: DecodingSection, *, phrases: bool = False) -> None:
    """Checks, before any work, that outputs can be as `decoding.forced` and `decoding.forbidden` ask for.

    Args:
        export: The export folder.
        decoding: The recipe's section.
        phrases: Whether records may force or forbid phrases of their own.

    Raises:
        UserError: They cannot; see `constraints_of`.
    """
    if decoding.forced or phrases:
        tokenizer = Tokenizer(tokenizer_file(export))
        constraints_of(decoding, tokenizer)
        if phrases:
            tokenizer.pieces()


def constraints_of(decoding: DecodingSection, tokenizer: Tokenizer) -> Constraints:
    """Returns the rules.

    Raises:
        UserError: The vocabulary cannot write a forced phrase, it has a forbidden word in it, or `decoding.max_tokens`
            has no room for all of them.
    """
    return Constraining(decoding, tokenizer).common


class Constraining:
    """Makes rules for the tokens of outputs: those of the recipe, and those of single records in addition.

    Args:
        decoding: The recipe's section.
        tokenizer: The vocabulary.

    Raises:
        UserError: See `constraints_of`.
    """

    def __init__(self, decoding: DecodingSection, tokenizer: Tokenizer) -> None:
        self._decoding, self._tokenizer = decoding, tokenizer
        self.common = self._rules(decoding)
        """The rules for all outputs."""

    def of_record(self, own: OwnConstraints, limit: int | None = None) -> tuple[tuple[int, ...], Constraints | None]:
        """Returns the tokens that the output of a record begins with, and its rules; None: the common ones.

        Args:
            own: What the record asks for.
            limit: Tokens of its output at most, where that is less than `decoding.max_tokens`.

        Raises:
            BadRecord: Its output cannot be like that; the message says why.
        """
        decoding = self._decoding
        if self._tokenizer.backward:
            raise BadRecord("a model that reads backward cannot be held to phrases")
        if own.forced and decoding.method != "beam":
            raise BadRecord(f"forced phrases need decoding.method beam, and it is {decoding.method}")
        rules = None
        if own.forced or own.forbidden:
            both = {"forced": (*decoding.forced, *own.forced), "forbidden": (*decoding.forbidden, *own.forbidden)}
            try:
                rules = self._rules(decoding.model_copy(update=both))
            except UserError as error:
                raise BadRecord(f"its forced and forbidden phrases: {error.what}") from error
        most = decoding.max_tokens if limit is None else min(limit, decoding.max_tokens)
        return self._prefix(own.prefix, rules or self.common, most), rules

    def _prefix(self, text: str, rules: Constraints, most: int) -> tuple[int, ...]:
        tokens = self._tokenizer.encode(text)
        written = self._tokenizer.decode(tokens)
        if written != " ".join(text.split()):
            raise BadRecord(f"its prefix {text!r} would be written {written!r} with this vocabulary")
        if len(tokens) > most:
            raise BadRecord(f"its prefix takes {len(tokens)} tokens, longer than decoding.max_tokens ({most})")
        if rules.words is not None and rules.words.finds(text):
            raise BadRecord(f"its prefix {text!r} has a forbidden word in it")
        return tuple(tokens)

    def _rules(self, decoding: DecodingSection) -> Constraints:
        if not decoding.forced and not decoding.forbidden:
            return Constraints(decoding.min_tokens, decoding.no_repeat_ngram)
        spelling, tokenizer = self._spelling, self._tokenizer
        words = Forbidden(_written(decoding.forbidden, tokenizer), spelling) if decoding.forbidden else None
        forced = forced_phrases(decoding, tokenizer)
        lengthening = self._lengthening if forced else frozenset[int]()
        return Constraints(decoding.min_tokens, decoding.no_repeat_ngram, words, forced, lengthening)

    @functools.cached_property
    def _spelling(self) -> Spelling:
        return Spelling(self._tokenizer.pieces())

    @functools.cached_property
    def _lengthening(self) -> frozenset[int]:
        return frozenset(n for n, piece in enumerate(self._spelling.pieces) if _lengthens(piece))


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
