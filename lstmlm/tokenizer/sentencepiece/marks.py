"""Escapes characters that SentencePiece uses as markers, and restores them after decoding.

SentencePiece writes U+2581 for a space, so that one in a text would come back as a space. Here it is written as
`ESCAPE 1`, and `ESCAPE` itself as `ESCAPE 0`: no text is lost, and almost none has either.
"""

SPACE_MARK = "\u2581"
"""What SentencePiece writes for a space, and before a text."""
ESCAPE = "\ue281"  # for private use: no standard gives it a meaning
ESCAPED_MARK, ESCAPED_ESCAPE = f"{ESCAPE}1", f"{ESCAPE}0"
UNMARKED = "\u25a1"
"""Takes the place of both where a text must keep its length."""
RESERVED = "\u2585"
"""SentencePiece leaves out of its training each line that has it."""
_UNMARKED = {ord(SPACE_MARK): UNMARKED, ord(ESCAPE): UNMARKED}


def escaped(text: str) -> str:
    """Returns the text as SentencePiece may cut it."""
    if SPACE_MARK in text or ESCAPE in text:
        return text.replace(ESCAPE, ESCAPED_ESCAPE).replace(SPACE_MARK, ESCAPED_MARK)
    return text


def unmarked(text: str) -> str:
    """Returns the text with a sign of the same length, also in UTF-8, for each of the two marks."""
    return text.translate(_UNMARKED)


def unescaped(text: str) -> str:
    """Returns the text that `escaped` was given."""
    # Behind every ESCAPE is a digit, so the order is safe.
    return text.replace(ESCAPED_MARK, SPACE_MARK).replace(ESCAPED_ESCAPE, ESCAPE) if ESCAPE in text else text


def places(text: str) -> list[int]:
    """Returns for each place in `escaped(text)`, its end too, the place in the text that it belongs to."""
    found: list[int] = []
    for place, letter in enumerate(text):
        found += [place, place] if letter in (SPACE_MARK, ESCAPE) else [place]
    return [*found, len(text)]
