"""Forbidden words in tokens: what is banned is what would write one, in pieces or in bytes."""

import itertools
import random

import pytest

from lstmlm.decoding.constraints.forbidden import Forbidden
from lstmlm.decoding.constraints.phrase_automaton import PhraseAutomaton

TEXTS = ["", "?", "", "", " the", "the", " th", "e", "re", " ", ".", " a", "s", "\u00e9"]
PIECES = [*TEXTS, *(bytes([byte]) for byte in b"theas \xc3\xa9\xe6\x9d\xb1\xe2\x80\x8b")]
END = 3


def text_of(tokens):
    """Writes tokens as SentencePiece does: bytes together, and what is no character as a sign."""
    out = b"".join(piece if isinstance(piece, bytes) else piece.encode() for piece in (PIECES[n] for n in tokens))
    return out.decode("utf-8", "replace")


def endings(words, tokens):
    """Says whether a text with these tokens can still become one without the words, by trying letters."""
    return not words.finds(text_of(tokens) + "s")


@pytest.mark.parametrize("words", [["the"], ["the", "a"], ["the a", "\u6771"], ["th\u00e9", "s."], ["there"]])
def test_what_is_allowed_writes_no_forbidden_word_and_nothing_else_is_banned(words):
    forbidden, found, rng = Forbidden(words, PIECES), PhraseAutomaton(words), random.Random(1)
    for _ in range(150):
        tokens, state = [], forbidden.START
        for _ in range(8):
            banned = set(forbidden.banned(state, last=True).tolist())
            for token in range(len(PIECES)):
                kept = tokens if token in (END, 0, 2) else [*tokens, token]
                assert (token in banned) == found.finds(text_of(kept)), (tokens, token)
            going = set(forbidden.banned(state, last=False).tolist())
            for token in range(4, len(TEXTS)):  # whole characters: a letter behind them decides
                assert (token in going) == (not endings(found, [*tokens, token])), (tokens, token)
            allowed = [n for n in range(4, len(PIECES)) if n not in going]
            if not allowed:
                break
            tokens.append(rng.choice(allowed))
            state = forbidden.step(state, tokens[-1])
            assert state == forbidden.after(tokens)
            assert forbidden.may_end(state) == (not found.finds(text_of(tokens)))


def test_the_longest_allowed_beginning_is_kept():
    forbidden = Forbidden(["the"], PIECES)
    for size in range(5):
        for tokens in itertools.product([4, 7, 8, 9], repeat=size):
            kept = forbidden.longest_allowed(tokens)
            assert not forbidden.finds(text_of(tokens[:kept]))
            assert all(forbidden.finds(text_of(tokens[:n])) for n in range(kept + 1, size + 1))


def test_both_normal_forms_are_forbidden():
    forbidden = Forbidden(["\u00e9t\u00e9"], PIECES)
    assert forbidden.finds("e\u0301te\u0301")
    assert Forbidden(["e\u0301te\u0301"], PIECES).finds("\u00e9t\u00e9")
