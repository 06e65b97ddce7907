"""Writes the tokenizer files of a hub folder, which `transformers` loads as a fast tokenizer without further code."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import tokenizers

from lstmlm.hub.tokenizers import given, sentencepiece
from lstmlm.tokenizer.foreign.hugging_face import HuggingFace
from lstmlm.tokenizer.sentencepiece.processor import SentencePiece
from lstmlm.tokenizer.special import BEGIN, END, PAD, SPECIAL, UNK
from lstmlm.tokenizer.tokenizer import JSON_FILE, MODEL_FILE

CONFIG_FILE, SPECIAL_FILE = "tokenizer_config.json", "special_tokens_map.json"
ROLES = {PAD: "pad_token", UNK: "unk_token", BEGIN: "bos_token", END: "eos_token"}
"""Special id -> what `transformers` calls it."""


def write_tokenizer(vocabulary: Path, folder: Path, longest: int) -> None:
    """Writes `tokenizer.json`, `tokenizer_config.json`, `special_tokens_map.json`, and a SentencePiece model as it is.

    Args:
        vocabulary: The `tokenizer.model` or `tokenizer.json` of an export.
        folder: Where to write.
        longest: Tokens of a text that the model reads at most.

    Raises:
        UserError: It is no vocabulary, or one that cannot be written so.
    """
    made = _converted(vocabulary)
    names = {role: str(made.id_to_token(role)) for role in range(SPECIAL)}
    made.add_special_tokens(list(names.values()))
    made.save(str(folder / JSON_FILE))
    if vocabulary.name == MODEL_FILE:
        (folder / MODEL_FILE).write_bytes(vocabulary.read_bytes())
    special = {ROLES[role]: name for role, name in names.items()}
    config = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "model_max_length": longest,
        "model_input_names": ["input_ids", "attention_mask"],
        "padding_side": "right",
        "clean_up_tokenization_spaces": False,
        # A text that spells the name of a special token stays text.
        "split_special_tokens": True,
        **special,
    }
    _write(folder / CONFIG_FILE, config)
    _write(folder / SPECIAL_FILE, special)


def _converted(vocabulary: Path) -> tokenizers.Tokenizer:
    if vocabulary.name == JSON_FILE:
        return given.renumbered(vocabulary.read_text(encoding="utf-8"), HuggingFace(vocabulary))
    model = SentencePiece(vocabulary)
    return sentencepiece.as_json(model.model_bytes, keeps_marks=model.keeps_marks, whole_words=model.whole_words)


def _write(path: Path, content: dict[str, Any]) -> None:
    path.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
