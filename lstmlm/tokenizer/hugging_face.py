"""A Hugging Face `tokenizer.json` as a backend of `Tokenizer`."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import tokenizers

from lstmlm.errors import UserError
from lstmlm.tokenizer.rows import IdArray
from lstmlm.tokenizer.special import BEGIN, END, PAD, SPECIAL, UNK

# What well-known tokenizers call them, the commonest first.
_NAMES = {
    PAD: ("<pad>", "[PAD]", "<|pad|>", "<|padding|>", "<|finetune_right_pad_id|>"),
    UNK: ("<unk>", "[UNK]", "<|unk|>", "<|unknown|>"),
    BEGIN: ("<s>", "[CLS]", "<bos>", "[BOS]", "<|begin|>", "<|begin_of_text|>", "<|startoftext|>"),
    END: ("</s>", "[SEP]", "<eos>", "[EOS]", "<|end|>", "<|end_of_text|>", "<|endoftext|>", "<|im_end|>"),
}


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
            UserError: The file is not there or not a tokenizer.
        """
        try:
            content = Path(path).read_text(encoding="utf-8")
            self._tokenizer = tokenizers.Tokenizer.from_str(content)
            model = json.loads(content)["model"]
        # The library raises Exception itself.
        except Exception as error:
            cure = "Name a tokenizer.json that the library `tokenizers` saved"
            raise UserError("not a Hugging Face tokenizer", where=str(path), cure=cure) from error
        # A text that spells a special token stays text; nothing is cut or padded here.
        self._tokenizer.encode_special_tokens = True
        self._tokenizer.no_truncation()
        self._tokenizer.no_padding()
        self.algorithm = str(model["type"]).lower()
        special = self._special(model)
        ordinary = sorted(set(self._tokenizer.get_vocab(with_added_tokens=True).values()) - set(special.values()))
        self.size = SPECIAL + len(ordinary)
        # Id of this project -> id of the tokenizer, and back; -1 where there is none.
        self._theirs = np.array([special.get(role, -1) for role in range(SPECIAL)] + ordinary, np.int64)
        self._ours = np.full(int(self._theirs.max()) + 1, UNK, np.int32)
        self.renumbered = bool((self._theirs != np.arange(self.size)).any())
        known = self._theirs >= 0
        self._ours[self._theirs[known]] = np.flatnonzero(known)

    def _special(self, model: dict[str, object]) -> dict[int, int]:
        """Returns special id of this project -> id of the tokenizer, for those it has."""
        names = dict(_NAMES)
        if isinstance(unknown := model.get("unk_token"), str):
            names[UNK] = (unknown, *_NAMES[UNK])
        found: dict[int, int] = {}
        for role, candidates in names.items():
            ids = (self._tokenizer.token_to_id(name) for name in candidates)
            first = next((number for number in ids if number is not None and number not in found.values()), None)
            if first is not None:
                found[role] = first
        return found

    def encode(self, text: str) -> list[int]:
        """See `lstmlm.tokenizer.tokenizer.Backend`."""
        ids: list[int] = self._ours[self._tokenizer.encode(text, add_special_tokens=False).ids].tolist()
        return ids

    def encode_closed(self, texts: list[str]) -> list[IdArray]:
        """See `lstmlm.tokenizer.tokenizer.Backend`."""
        encoded = self._tokenizer.encode_batch_fast(texts, add_special_tokens=False)
        return [np.append(self._ours[row.ids], np.int32(END)) for row in encoded]

    def decode(self, ids: list[int]) -> str:
        """See `lstmlm.tokenizer.tokenizer.Backend`."""
        theirs = [int(number) for number in self._theirs[ids] if number >= 0]
        text: str = self._tokenizer.decode(theirs, skip_special_tokens=False)
        return text
