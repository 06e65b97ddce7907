"""A Hugging Face `tokenizer.json` as a backend of `Tokenizer`."""

from __future__ import annotations

import contextlib
import functools
import itertools
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import tokenizers

from lstmlm.errors import UserError
from lstmlm.tokenizer.foreign.json_file import Unusable, prepare
from lstmlm.tokenizer.rows import IdArray
from lstmlm.tokenizer.special import END, SPECIAL, UNK


class HuggingFace:
    """A tokenizer of the library `tokenizers`, its ids moved so that the special ones are those of this project.

    The special tokens are found by name; one that is missing still has its id, which no text gives. The other tokens
    follow in the order of their own ids.

    Attributes:
        size: Number of ids, the special ones included.
        algorithm: `bpe`, `unigram`, `wordpiece` or `wordlevel`.
        renumbered: Whether any id is another than in the file.
    """

    def __init__(self, path: Path) -> None:
        """Loads a tokenizer.

        Raises:
            UserError: The file is not there, not a tokenizer, or one that loses text.
        """
        self._path = Path(path)
        try:
            found = prepare(Path(path).read_text(encoding="utf-8"))
            self._tokenizer = tokenizers.Tokenizer.from_str(found.content)
        except (KeyboardInterrupt, SystemExit):
            raise
        except Unusable as error:
            hint = "Train it with an unknown token or on bytes, or give a SentencePiece .model"
            raise UserError(f"this tokenizer cannot be used: {error}", where=str(path), hint=hint) from error
        # The library raises Exception itself, and where it panics, a BaseException.
        except BaseException as error:
            hint = "Name a tokenizer.json that the library `tokenizers` saved"
            raise UserError("not a Hugging Face tokenizer", where=str(path), hint=hint) from error
        # A text that spells a special token stays text.
        self._tokenizer.encode_special_tokens = True
        self.algorithm = found.algorithm
        by_name = self._tokenizer.get_vocab(with_added_tokens=True)
        special = {role: by_name[name] for role, name in found.special.items()}
        ordinary = sorted(set(by_name.values()) - set(special.values()))
        self.size = SPECIAL + len(ordinary)
        # Id of this project -> id of the tokenizer, and back; -1 where there is none.
        self._theirs = np.array([special.get(role, -1) for role in range(SPECIAL)] + ordinary, np.int64)
        self.renumbered = bool((self._theirs != np.arange(self.size)).any())
        known = self._theirs >= 0
        ours = np.full(int(self._theirs.max()) + 1, UNK, np.int32)
        ours[self._theirs[known]] = np.flatnonzero(known)
        # What text gives: a special token never.
        hidden = [by_name[name] for name in found.hidden]
        self._hidden = frozenset(ours[hidden].tolist())
        ours[hidden] = UNK
        self._ours = ours

    @property
    def numbering(self) -> list[int]:
        """The id in the file of each id of this project; -1 for a special token that the file does not have."""
        numbers: list[int] = self._theirs.tolist()
        return numbers

    def encode(self, text: str) -> list[int]:
        """See `lstmlm.tokenizer.tokenizer.Backend`."""
        with self._failure_reported():
            found = self._tokenizer.encode(text, add_special_tokens=False).ids
        ids: list[int] = self._ours[found].tolist()
        return ids

    def encode_closed(self, texts: list[str]) -> list[IdArray]:
        """See `lstmlm.tokenizer.tokenizer.Backend`."""
        with self._failure_reported():
            encoded = self._tokenizer.encode_batch_fast(texts, add_special_tokens=False)
        return [np.append(self._ours[row.ids], np.int32(END)) for row in encoded]

    def decode(self, ids: list[int]) -> str:
        """See `lstmlm.tokenizer.tokenizer.Backend`."""
        theirs = [int(self._theirs[number]) for number in ids if number not in self._hidden]
        with self._failure_reported():
            text: str = self._tokenizer.decode([number for number in theirs if number >= 0], skip_special_tokens=False)
        return text

    def decode_continuation(self, ids: list[int]) -> str:
        """See `lstmlm.tokenizer.tokenizer.Tokenizer`."""
        # Behind another token a space is kept; at the beginning of a text many decoders leave it out.
        anchor = self._anchor
        return self.decode([*anchor, *ids]).removeprefix(self.decode(anchor)) if ids else ""

    @functools.cached_property
    def _anchor(self) -> list[int]:
        """A token that writes a single letter; none where no token does."""
        letters = (n for n in range(SPECIAL, self.size) if len(text := self.decode([n])) == 1 and text.isalpha())
        return list(itertools.islice(letters, 1))

    def surfaces(self, text: str) -> list[str]:
        """See `lstmlm.tokenizer.tokenizer.Tokenizer`."""
        with self._failure_reported():
            found = self._tokenizer.encode(text, add_special_tokens=False).offsets
        surfaces = [text[start:end].strip() for start, end in found]
        for place in range(len(surfaces) - 2, -1, -1):
            surfaces[place] = surfaces[place] or surfaces[place + 1]
        return surfaces

    def decode_unknown(self, ids: list[int], words: Sequence[str]) -> str:
        """See `lstmlm.tokenizer.tokenizer.Tokenizer`; as `decode` where the text itself spells the unknown token."""
        text, name = self.decode(ids), self.decode([UNK])
        parts = text.split(name) if name else [text]
        if len(parts) != len(words) + 1:
            return text
        return "".join(part + word for part, word in zip(parts, [*(word or name for word in words), ""], strict=True))

    @contextlib.contextmanager
    def _failure_reported(self) -> Iterator[None]:
        try:
            yield
        except (KeyboardInterrupt, SystemExit):
            raise
        # The library raises Exception itself, and where it panics, a BaseException.
        except BaseException as error:
            reason = " ".join(str(error).split())[:200] or type(error).__name__
            what = f"this tokenizer fails on a text: {reason}"
            raise UserError(what, where=str(self._path), hint="Give another tokenizer") from error
