"""Finds token boundaries with NumPy over the characters of a whole block.

A token is nearly what spaCy's English tokenizer makes of a text: white space parts; brackets, quotes and other marks
are separate tokens at the edges of a word; inside it only a hyphen between letters and the like does. Contractions are
split (`do`, `n't`) and common abbreviations are not (`Mr.`, `e.g.`). Passes go over all characters or over only the
marks, never over words in Python.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from lstmlm.corpus.steps.quality import characters as ch
from lstmlm.corpus.steps.quality.characters import Codes, Flags

Bools = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int64]

MARGIN = 8  # characters of white space at both ends, so that a look at neighbours never leaves the array
_ABBREVIATIONS = (
    "Adm Ak Ala Apr Ariz Ark Aug Bros Calif Co Colo Conn Corp Dec Del Dr E.g Feb Fla Ga Gen Gov I.e Ia Id Ill Inc Ind "
    "Jan Jr Jul Jun Kan Kans Ky La Ltd Mar Mass Md Messrs Mich Minn Miss Mo Mont Mr Mrs Ms Mt Neb Nebr Nev Nov Oct "
    "Okla Ore Pa Ph.D Prof Rep Rev Sen Sep Sept St Tenn Va Wash Wis a.m co e.g i.e p.m v.s vs "
    "a b c d e f g h i j k l m n o p q r s t u v w x y z"
)
_KEYS = np.array(sorted(int.from_bytes(word.encode(), "big") for word in _ABBREVIATIONS.split()), np.uint64)
_LONGEST = 6  # letters and inner stops of the longest abbreviation
_CLITICS = ("s", "S", "d", "m", "re", "ve", "ll", "em")  # after an apostrophe, at the end of a word
_VOWELS = np.array([ord(letter) for letter in "Iaeiouy"], np.uint32)
_LONGEST_DASH = 3


def token_spans(codes: Codes, flags: Flags) -> tuple[Ints, Ints]:
    """Returns where tokens start and how many characters they have, each of shape (tokens,).

    Args:
        codes: Code points, with `MARGIN` of white space at both ends, shape (characters,).
        flags: Their flags, same shape.
    """
    blank = flags & ch.SPACE != 0
    separate, repeats, clitics = _split(codes, flags, blank)
    edge = np.zeros(len(codes), np.bool_)  # something ends before this character, or starts with it
    np.not_equal(blank[1:], blank[:-1], out=edge[1:])
    edge[separate] = True
    edge[separate + 1] = True
    edge[clitics] = True
    edge[repeats] = False
    edges = np.flatnonzero(edge)
    is_start = ~blank[edges]
    return edges[is_start], np.diff(edges, append=len(codes))[is_start]


def _split(codes: Codes, flags: Flags, blank: Bools) -> tuple[Ints, Ints, Ints]:
    """Returns the marks that are tokens, those among them that continue the one before, and where clitics start."""
    marks = np.flatnonzero(flags & ch.MARK != 0)
    mark, own, before, after = codes[marks], flags[marks], flags[marks - 1], flags[marks + 1]
    is_dot = own & ch.DOT != 0
    ellipsis = is_dot & ((before | after) & ch.DOT != 0)
    sentence_end = is_dot & (
        (before & (ch.LOWER | ch.DIGIT | ch.CLOSING) != 0)
        | ((before & ch.UPPER != 0) & (flags[marks - 2] & ch.UPPER != 0))
        | (codes[marks - 1] == ord("%"))
    )
    single = ellipsis | (own & ch.SINGLE != 0)
    sign = (mark == ord("+")) & (after & ch.DIGIT != 0)
    unit = (before & ch.DIGIT != 0) & ((mark == ord("%")) | (mark == ord("+")))
    left = _reached(marks, single | ((own & ch.OPENING != 0) & ~sign), blank[marks - 1])
    closing = single | (own & ch.CLOSING != 0) | sentence_end | unit
    right = _reached(marks[::-1], closing[::-1], blank[marks + 1][::-1])[::-1]
    stops = right & sentence_end & ~ellipsis
    right[stops] = ~_after_abbreviation(codes, flags, marks[stops])
    dash = _dashes(codes, flags, marks)
    inner = (dash | _infixes(own, before, after)) & ~_in_address(codes, blank, marks)
    clitics, apostrophes = _clitics(codes, flags, marks, right, blank)
    joined = np.zeros(len(codes), np.bool_)
    joined[apostrophes] = True
    separate = (left | right | inner | single) & ~joined[marks]
    again = np.zeros(len(marks), np.bool_)
    again[1:] = separate[1:] & separate[:-1] & (np.diff(marks) == 1) & (mark[1:] == mark[:-1])
    return marks[separate], marks[again & (ellipsis | dash)], clitics


def _reached(marks: Ints, able: Bools, at_edge: Bools) -> Bools:
    """Returns which marks are in an unbroken row of able ones from an edge on; reverse all for the other end."""
    if not len(marks):
        return np.zeros(0, np.bool_)
    begins = np.ones(len(marks), np.bool_)
    begins[1:] = (np.abs(np.diff(marks)) != 1) | ~able[1:] | ~able[:-1]
    first = np.maximum.accumulate(np.where(begins, np.arange(len(marks)), 0))
    return able & at_edge[first]


def _infixes(own: Flags, before: Flags, after: Flags) -> Bools:
    """Returns which marks part what is left and right of them inside a word, dashes aside."""
    letter_before, letter_after = before & ch.ALPHA != 0, after & ch.ALPHA != 0
    minus = ch.DASH | ch.OPERATOR
    number_after = (after & ch.DIGIT != 0) | (after & minus == minus)
    return (
        ((own & ch.COMMA != 0) & letter_before & letter_after)
        | ((own & ch.LINK != 0) & (before & (ch.ALPHA | ch.DIGIT) != 0) & letter_after)
        | ((own & ch.OPERATOR != 0) & (before & ch.DIGIT != 0) & number_after)
        | ((own & ch.DOT != 0) & (before & (ch.LOWER | ch.QUOTE) != 0) & (after & (ch.UPPER | ch.QUOTE) != 0))
    )


def _dashes(codes: Codes, flags: Flags, marks: Ints) -> Bools:
    """Returns which marks belong to a dash, or row of one kind of dash, between a letter or digit and a letter."""
    is_dash = flags[marks] & ch.DASH != 0
    places = marks[is_dash]
    found = np.zeros(len(marks), np.bool_)
    if not len(places):
        return found
    begins = np.ones(len(places), np.bool_)
    begins[1:] = (np.diff(places) != 1) | (codes[places[1:]] != codes[places[:-1]])
    firsts = np.flatnonzero(begins)
    sizes = np.diff(firsts, append=len(places))
    between = (flags[places[firsts] - 1] & (ch.ALPHA | ch.DIGIT) != 0) & (sizes <= _LONGEST_DASH)
    between &= flags[places[firsts] + sizes] & ch.ALPHA != 0
    found[is_dash] = np.repeat(between, sizes)
    return found


def _in_address(codes: Codes, blank: Bools, marks: Ints) -> Bools:
    """Returns which marks are in a web address, which is one token."""
    schemes = marks[(codes[marks] == ord(":")) & (codes[marks + 1] == ord("/")) & (codes[marks + 2] == ord("/"))]
    if not len(schemes):
        return np.zeros(len(marks), np.bool_)
    chunk = np.cumsum(blank, dtype=np.int32)
    return np.isin(chunk[marks], chunk[schemes])


def _after_abbreviation(codes: Codes, flags: Flags, stops: Ints) -> Bools:
    """Returns which full stops belong to the abbreviation before them."""
    keys = np.zeros(len(stops), np.uint64)
    sizes = np.zeros(len(stops), np.int64)
    inside = np.ones(len(stops), np.bool_)
    for back in range(1, _LONGEST + 2):
        code = codes[stops - back]
        inside &= (flags[stops - back] & (ch.ALPHA | ch.DOT) != 0) & (code < 128)
        keys[inside] |= code[inside].astype(np.uint64) << np.uint64(8 * (back - 1))
        sizes += inside
    separated = flags[stops - sizes - 1] & (ch.SPACE | ch.OPENING) != 0
    return separated & (_KEYS[np.searchsorted(_KEYS, keys).clip(max=len(_KEYS) - 1)] == keys)


def _clitics(codes: Codes, flags: Flags, marks: Ints, right: Bools, blank: Bools) -> tuple[Ints, Ints]:
    """Returns where clitics such as `'s` and `n't` start, and their apostrophes."""
    closed = blank.copy()
    closed[marks[right]] = True
    places = marks[(codes[marks] == ord("'")) | (codes[marks] == ord("’"))]
    found = np.zeros(len(places), np.bool_)
    for clitic in _CLITICS:
        matches = closed[places + len(clitic) + 1]
        for offset, letter in enumerate(clitic, start=1):
            matches = matches & (codes[places + offset] == ord(letter))
        if clitic == "d":  # he'd, but not turn'd
            matches = matches & np.isin(codes[places - 1], _VOWELS)
        found |= matches
    negation = (codes[places - 1] == ord("n")) & (codes[places + 1] == ord("t")) & closed[places + 2]
    negation &= flags[places - 2] & ch.ALPHA != 0
    return np.concatenate([places[found], places[negation] - 1]), places[found | negation]
