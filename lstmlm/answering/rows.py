"""From a row of a corpus to a record: the passage, the question, and where in the passage its answers are.

Answers are given as in SQuAD (Rajpurkar et al. 2016): texts with the places where they begin. A place that is wrong or
missing is looked for.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal

from lstmlm.records.columns import Span
from lstmlm.task import BadRecord

_SHOWN = 60


def required_text(row: Mapping[str, Any], column: str, what: str) -> str:
    """Returns the text of a column.

    Raises:
        BadRecord: There is none.
    """
    value = row.get(column)
    if value is None or value != value or (isinstance(value, str) and not value.strip()):
        raise BadRecord(f"no {what}: column {column!r} is {'empty' if column in row else 'missing'}")
    if not isinstance(value, str):
        raise BadRecord(f"column {column!r} ({what}) is not text")
    return value


def answer_texts(row: Mapping[str, Any], column: str) -> list[str]:
    """Returns the answers of a row, a text or a list of texts; none where there is no answer.

    Raises:
        BadRecord: They are something else, or one is empty.
    """
    value = row.get(column)
    if value is None or value != value or value == "":
        return []
    texts = value if isinstance(value, list) else [value]
    if not all(isinstance(text, str) for text in texts):
        raise BadRecord(f"column {column!r} is neither a text nor a list of texts")
    if not all(text.strip() for text in texts):
        raise BadRecord(f"column {column!r} has an empty answer")
    return texts


def answer_places(row: Mapping[str, Any], column: str | None) -> list[int]:
    """Returns where answers begin: a number or a list of numbers, of which tables make text; none where not given.

    Raises:
        BadRecord: They are something else.
    """
    value = None if column is None else row.get(column)
    if isinstance(value, str) and value.strip():
        try:
            value = json.loads(value)
        except ValueError:
            value = [value]
    if value is None or value != value or value == "":
        return []
    places = value if isinstance(value, list) else [value]
    if any(isinstance(place, bool) or not isinstance(place, int | float) or place != int(place) for place in places):
        raise BadRecord(f"column {column!r} is neither a whole number nor a list of them")
    return [int(place) for place in places]


def answer_spans(
    passage: str, answers: Sequence[str], places: Sequence[int], repeated: Literal["refuse", "any"]
) -> list[Span]:
    """Returns where the answers are in the passage.

    The first answer has a place at least, or occurs once. An answer without a place of its own is the occurrence that
    is nearest to the first answer's.

    Args:
        passage: The text.
        answers: The answers.
        places: Where they begin; fewer than answers, such as one for the first only.
        repeated: What is made of an answer that occurs several times, and not at its place: a bad record, or all its
            occurrences.

    Raises:
        BadRecord: An answer is not in the passage, or it is not known which of its occurrences is meant.
    """
    spans: list[Span] = []
    for number, answer in enumerate(answers):
        text = answer.strip()
        found = list(occurrences(passage, text))
        if not found:
            raise BadRecord(f"answer {_shown(text)} is not in the passage")
        place = places[number] + len(answer) - len(answer.lstrip()) if number < len(places) else None
        if place is not None and place >= 0 and passage.startswith(text, place):
            found = [place]
        elif place is None and number > 0 and spans and repeated == "refuse":
            found = [min(found, key=lambda start: abs(start - spans[0].start))]
        elif len(found) > 1 and repeated == "refuse":
            where = "no answer_start says where" if place is None else f"answer_start {place} is none of them"
            raise BadRecord(f"answer {_shown(text)} occurs {len(found)} times in the passage, and {where}")
        spans += [Span(start, start + len(text)) for start in found]
    return list(dict.fromkeys(spans))


def occurrences(passage: str, text: str) -> Iterator[int]:
    """Yields where a text begins in a passage, as whole words where any of its occurrences is one."""
    places = list(_all(passage, text))
    whole = [place for place in places if _is_whole(passage, place, place + len(text))]
    yield from whole or places


def _all(passage: str, text: str) -> Iterator[int]:
    place = passage.find(text)
    while place >= 0:
        yield place
        place = passage.find(text, place + 1)


def _is_whole(passage: str, start: int, end: int) -> bool:
    """Says whether no word is cut: letters of a script without spaces cut none."""
    return not (_same_word(passage, start) or _same_word(passage, end))


def _same_word(passage: str, at: int) -> bool:
    if at <= 0 or at >= len(passage):
        return False
    return passage[at - 1].isalnum() and passage[at].isalnum() and passage[at - 1].isascii() and passage[at].isascii()


def _shown(text: str) -> str:
    return repr(text if len(text) <= _SHOWN else f"{text[:_SHOWN]}...")
