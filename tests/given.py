"""Vocabularies as other projects make them, by kind."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import tokenizers
from tokenizers import decoders, models, normalizers, pre_tokenizers, trainers


def byte_bpe(texts: Sequence[str]) -> tokenizers.Tokenizer:
    """As GPT-2's: bytes, and one special token that both begins and ends."""
    made = tokenizers.Tokenizer(models.BPE())
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=500, special_tokens=["<|endoftext|>"], initial_alphabet=alphabet, show_progress=False
    )
    made.train_from_iterator(texts, trainer)
    return made


def word_piece(texts: Sequence[str]) -> tokenizers.Tokenizer:
    """As BERT's, with a token that was added to it later."""
    made = tokenizers.Tokenizer(models.WordPiece(unk_token="[UNK]"))
    made.normalizer = normalizers.Lowercase()
    made.pre_tokenizer = pre_tokenizers.Whitespace()
    made.decoder = decoders.WordPiece()
    special = ["[UNK]", "[PAD]", "[SEP]", "[CLS]", "[MASK]"]
    trainer = trainers.WordPieceTrainer(vocab_size=500, special_tokens=special, show_progress=False)
    made.train_from_iterator(texts, trainer)
    made.add_tokens(["statement."])
    return made


def unigram(texts: Sequence[str]) -> tokenizers.Tokenizer:
    """As T5's."""
    made = tokenizers.Tokenizer(models.Unigram())
    made.pre_tokenizer = pre_tokenizers.Metaspace()
    made.decoder = decoders.Metaspace()
    trainer = trainers.UnigramTrainer(
        vocab_size=400, special_tokens=["<pad>", "</s>", "<unk>"], unk_token="<unk>", show_progress=False
    )
    made.train_from_iterator(texts, trainer)
    return made


KINDS: Mapping[str, Callable[[Sequence[str]], tokenizers.Tokenizer]] = {
    "byte_bpe": byte_bpe,
    "word_piece": word_piece,
    "unigram": unigram,
}
