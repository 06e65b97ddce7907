"""HTML entities become the characters they encode, in linear time however deep they are nested."""

from __future__ import annotations

from ftfy.fixes import unescape_html

_LONGEST = 27  # `&#`, 24 letters or digits, `;`: the longest that ftfy knows


def unescape(text: str) -> str:
    """Returns a text without entities that end in `;`, those that others make up included (`&amp;lt;` becomes `<`).

    Each `;` is looked at once, with the few characters that are left in front of it. Unescaping the whole text until
    nothing changes would take as many passes as entities are nested.

    Args:
        text: Any string.
    """
    first, *others = text.split(";")
    if not others:
        return text
    out = list(first)
    ampersand = place if (place := first.rfind("&")) >= 0 else -_LONGEST  # the last one in `out`
    for part in others:
        while True:  # `;` comes next in `out`
            if len(out) + 1 - ampersand > _LONGEST:
                out.append(";")
                break
            entity = "".join(out[ampersand:]) + ";"
            found = unescape_html(entity)
            if found == entity:
                out.append(";")
                break
            del out[ampersand:]
            ends = found.endswith(";")
            out += found[:-1] if ends else found
            ampersand = _last_ampersand(out)
            if not ends:
                break
        place = part.rfind("&")
        if place >= 0:
            ampersand = len(out) + place
        out += part
    return "".join(out)


def _last_ampersand(characters: list[str]) -> int:
    near = max(len(characters) - _LONGEST, 0)
    return next((place for place in range(len(characters) - 1, near - 1, -1) if characters[place] == "&"), -_LONGEST)
