"""Replaces personal data by a typed placeholder, or by a pseudonym that is keyed by a secret."""

from __future__ import annotations

import hashlib
import hmac
import os
import unicodedata
from collections.abc import Callable, Sequence

from lstmlm.corpus.steps.privacy.spans import PiiSpan
from lstmlm.errors import UserError
from lstmlm.recipe.sections.corpus import Privacy

Replacement = Callable[[str, str], str]
"""(kind, value) -> its replacement."""

_HEX_DIGITS = 8


def replace(text: str, spans: Sequence[PiiSpan], replacement: Replacement) -> str:
    """Returns the text with each span replaced.

    Args:
        text: The text the spans were found in.
        spans: In order and apart, as `find` returns them.
        replacement: Returns the replacement of a value of a kind.
    """
    parts: list[str] = []
    position = 0
    for span in spans:
        parts += [text[position : span.start], replacement(span.kind, text[span.start : span.end])]
        position = span.end
    return "".join([*parts, text[position:]])


def placeholder(kind: str, value: str) -> str:
    """Returns `<EMAIL>`, `<PHONE>`, ...: nothing of the value is left."""
    return f"<{kind.upper()}>"


class Pseudonyms:
    """Gives the same value the same pseudonym, wherever and however it is written.

    A pseudonym is the first 32 bits of HMAC-SHA256 over kind and value. Without the key a value can be neither computed
    from it nor compared with it. Not reversible with the key either; but who holds the key can try values.

    Args:
        key: The secret; it is kept only in memory.
    """

    def __init__(self, key: bytes) -> None:
        self._key = key

    def __call__(self, kind: str, value: str) -> str:
        """Returns `user-3f2a91c0@example.invalid` for an e-mail address, else `<PHONE-3f2a91c0>` and the like."""
        message = f"{kind}\x1f{_canonical(kind, value)}".encode("utf-8", "surrogatepass")
        tag = hmac.new(self._key, message, hashlib.sha256).hexdigest()[:_HEX_DIGITS]
        return f"user-{tag}@example.invalid" if kind == "email" else f"<{kind.upper()}-{tag}>"

    def __reduce__(self) -> str:
        raise TypeError("the key of the pseudonyms does not leave its process")


def _canonical(kind: str, value: str) -> str:
    """The value without what differs between two ways to write it: case, blanks and separators."""
    folded = unicodedata.normalize("NFKC", value).casefold()
    if kind in ("phone", "card", "iban", "national_id"):
        return "".join(character for character in folded if character.isalnum() or character == "+")
    return " ".join(folded.split())


def replacement_of(privacy: Privacy) -> Replacement:
    """Returns what the recipe asks for.

    Raises:
        UserError: Pseudonyms are asked for, and the environment variable with their key is not named, set, or filled.
    """
    if privacy.action == "placeholder":
        return placeholder
    hint = "Name an environment variable in `corpus.privacy.key` and set it to a long random secret"
    if not privacy.key:
        raise UserError("pseudonyms need a key", where="corpus.privacy.key", hint=hint)
    key = os.environ.get(privacy.key, "")
    if not key.strip():
        raise UserError(
            f"the environment variable {privacy.key} is not set or empty", where="corpus.privacy.key", hint=hint
        )
    return Pseudonyms(key.encode("utf-8", "surrogateescape"))


def key_fingerprint(privacy: Privacy) -> str:
    """Returns a digest that differs between keys, for the fingerprint of a stage: another key, another result.

    Raises:
        UserError: See `replacement_of`.
    """
    return replacement_of(privacy)("key", "") if privacy.action == "pseudonym" else ""
