"""Adapts a `tokenizer.json`: special tokens are never produced from text, and decoding restores the text."""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from lstmlm.tokenizer.special import BEGIN, END, PAD, UNK

# What well-known tokenizers call them, the commonest first.
_NAMES = {
    PAD: ("<pad>", "[PAD]", "<|pad|>", "<|padding|>", "<|finetune_right_pad_id|>"),
    UNK: ("<unk>", "[UNK]", "<|unk|>", "<|unknown|>"),
    BEGIN: ("<s>", "[CLS]", "<bos>", "[BOS]", "<|begin|>", "<|begin_of_text|>", "<|startoftext|>"),
    END: ("</s>", "[SEP]", "<eos>", "[EOS]", "<|end|>", "<|end_of_text|>", "<|endoftext|>", "<|im_end|>"),
}
_MOST_GROWTH = 64
# A group that is repeated without bound, or many times, and a repetition of a repetition: what makes a search take
# exponential time needs one of them. No tokenizer known to us has them.
_CLASS = re.compile(r"(?<!\\)\[\^?\]?(?:\\.|\[:\^?\w+:\]|[^\]\\])*\]", re.DOTALL)
_ESCAPE = re.compile(r"\\(?:[pPx]\{[^}]*\}|(?![gk]<).)", re.DOTALL)
_REPEATED = re.compile(r"\)(?:[*+]|\{\d*,\}|\{(?:\d+,)?\d{2,}\})|[*+?}]\{|\\g<|\\k<|\(\?R\)", re.DOTALL)


class Unusable(ValueError):
    """Why a tokenizer cannot be used, in words for its owner."""


@dataclasses.dataclass(frozen=True)
class Prepared:
    """A tokenizer, ready for the library.

    Attributes:
        content: JSON; nothing is cut, padded, added or drawn by chance, and special tokens have names of our own.
        algorithm: `bpe`, `unigram`, `wordpiece` or `wordlevel`.
        special: Special id of this project -> name of the token in `content`, for those that it has.
        renamed: Name in the file -> name in `content`, of all special tokens but the unknown one: no text gives them.
    """

    content: str
    algorithm: str
    special: Mapping[int, str]
    renamed: Mapping[str, str]

    @property
    def hidden(self) -> frozenset[str]:
        """Names in `content` of the tokens that no text gives."""
        return frozenset(self.renamed.values())


def prepare(text: str) -> Prepared:
    """Reads a `tokenizer.json`.

    Special tokens are found by name. They get names that no text spells, so that a text that does spell `</s>` is cut
    into other tokens, as any text is.

    Raises:
        Unusable: It loses text, or could take time or memory without bound.
        Exception: It is not such a file; of any kind.
    """
    content: dict[str, Any] = json.loads(text)
    model: dict[str, Any] = content["model"]
    algorithm = _algorithm(model)
    vocabulary = _vocabulary(model)
    added = [token for token in content.get("added_tokens") or [] if isinstance(token, dict)]
    _check_ids(model, added)
    _check_work(content)
    roles = _roles(model, {*vocabulary, *(str(token["content"]) for token in added)})
    _know_unknown(model, roles.get(UNK))
    if not (_has_unknown(model) or _knows_bytes(content, vocabulary)):
        raise Unusable("it has no unknown token, so text that it does not know would be lost")
    special = {name for role, name in roles.items() if role != UNK}
    special |= {str(token["content"]) for token in added if token.get("special")}
    special.discard(roles.get(UNK, ""))
    names = _new_names(special, vocabulary)
    _rename(model, names)
    for token in added:
        token["content"] = names.get(token["content"], token["content"])
    content.update(truncation=None, padding=None, post_processor=None)
    found = {role: names.get(name, name) for role, name in roles.items()}
    return Prepared(json.dumps(content, ensure_ascii=False), algorithm, found, names)


def _algorithm(model: Mapping[str, Any]) -> str:
    found = model.get("type")
    if found is None:  # in files of before 2020
        found = "BPE" if "merges" in model else "Unigram" if isinstance(model["vocab"], list) else "WordPiece"
    if found not in ("BPE", "Unigram", "WordPiece", "WordLevel"):
        raise Unusable(f"its model is of an unknown type, {str(found)[:40]!r}")
    return str(found).lower()


def _vocabulary(model: Mapping[str, Any]) -> dict[str, int]:
    """Returns token -> id."""
    found = model["vocab"]
    if isinstance(found, list):
        return {str(piece): number for number, (piece, _) in enumerate(found)}
    return {token: int(number) for token, number in found.items()}


def _check_ids(model: Mapping[str, Any], added: list[dict[str, Any]]) -> None:
    vocabulary = model["vocab"]
    ids = [] if isinstance(vocabulary, list) else list(vocabulary.values())
    if len(set(ids)) < len(ids):
        raise Unusable("two of its tokens have one id")
    ids += [token["id"] for token in added]
    if not all(type(number) is int and number >= 0 for number in ids):
        raise Unusable("an id is no number from 0 on")
    entries = len(vocabulary) + len(added)
    if not entries:
        raise Unusable("it has no tokens")
    if max(ids, default=0) > 16 * entries + 100_000:
        raise Unusable(f"its largest id is {max(ids)}, and it has {entries} tokens")


def _roles(model: Mapping[str, Any], names: set[str]) -> dict[int, str]:
    """Returns special id of this project -> name of the token, for those that it has."""
    found: dict[int, str] = {}
    for role, candidates in _NAMES.items():
        own = _unknown_of(model) if role == UNK else None
        known = [name for name in (own, *candidates) if name in names and name not in found.values()]
        if known:
            found[role] = str(known[0])
    return found


def _unknown_of(model: Mapping[str, Any]) -> str | None:
    if isinstance(model["vocab"], list):
        place = model.get("unk_id")
        return None if place is None else str(model["vocab"][place][0])
    return model.get("unk_token")


def _know_unknown(model: dict[str, Any], name: str | None) -> None:
    """Makes a token with the name of an unknown one the unknown token, where the file does not say it."""
    if isinstance(model["vocab"], list):
        pieces = [piece for piece, _ in model["vocab"]]
        if model.get("unk_id") is None and name in pieces:
            model["unk_id"] = pieces.index(name)
    elif name in model["vocab"] and model.get("unk_token") not in model["vocab"]:
        model["unk_token"] = name


def _has_unknown(model: Mapping[str, Any]) -> bool:
    if isinstance(model["vocab"], list):
        return model.get("unk_id") is not None
    return model.get("unk_token") in model["vocab"]


def _knows_bytes(content: Mapping[str, Any], vocabulary: Mapping[str, int]) -> bool:
    """Says whether every byte is a token, so that no text is unknown."""
    model = content["model"]
    if model.get("byte_fallback") and all(f"<0x{byte:02X}>" in vocabulary for byte in range(256)):
        return True
    steps = (content.get("pre_tokenizer"), content.get("normalizer"))
    if not any(part.get("type") == "ByteLevel" for step in steps for part in _parts(step)):
        return False
    from tokenizers import pre_tokenizers

    return "merges" in model and all(letter in vocabulary for letter in pre_tokenizers.ByteLevel.alphabet())


def _check_work(content: Mapping[str, Any]) -> None:
    """Refuses steps that can take time or memory out of all proportion to a text.

    Raises:
        Unusable: There is one.
    """
    growth = 1.0
    for step in (content.get(name) for name in ("normalizer", "pre_tokenizer", "decoder")):
        for part in _parts(step):
            pattern = part.get("pattern")
            if isinstance(pattern, dict) and "Regex" in pattern and _may_explode(str(pattern["Regex"])):
                raise Unusable(f"its pattern {str(pattern['Regex'])[:60]!r} may take exponential time")
            if part.get("type") == "Replace":
                literal = str((pattern or {}).get("String", "")) or "."
                growth *= max(1.0, len(str(part.get("content"))) / len(literal))
            elif part.get("type") == "Prepend" and len(str(part.get("prepend"))) > _MOST_GROWTH:
                growth = float("inf")
    if growth > _MOST_GROWTH:
        raise Unusable("it replaces text by far longer text")


def _may_explode(pattern: str) -> bool:
    return _REPEATED.search(_ESCAPE.sub("e", _CLASS.sub("c", pattern))) is not None


def _parts(step: Any) -> Iterator[dict[str, Any]]:
    """Yields a step of the tokenizer and the steps inside it."""
    waiting = [step]
    while waiting:
        part = waiting.pop()
        if isinstance(part, dict):
            yield part
            waiting += part.values()
        elif isinstance(part, list):
            waiting += part


def _new_names(special: set[str], vocabulary: Mapping[str, int]) -> dict[str, str]:
    """Returns name -> a name that is no token."""
    mark = "\ue000"
    while any(mark in token for token in vocabulary):
        mark += "\ue000"
    return {name: f"{mark}{place}{mark}" for place, name in enumerate(sorted(special))}


def _rename(model: dict[str, Any], names: Mapping[str, str]) -> None:
    vocabulary = model["vocab"]
    if isinstance(vocabulary, list):
        model["vocab"] = [[names.get(piece, piece), score] for piece, score in vocabulary]
        return
    model["vocab"] = {names.get(token, token): number for token, number in vocabulary.items()}
    if "merges" in model:
        # What is joined to the name of a special token was text.
        pairs = ((merge.split(" ", 1) if isinstance(merge, str) else merge) for merge in model["merges"])
        prefix = model.get("continuing_subword_prefix") or ""
        model["merges"] = [
            [left, right]
            for left, right in pairs
            if not {left, right, left + right.removeprefix(prefix)} & names.keys()
        ]
        model["dropout"] = None  # which would cut a text another way each time
