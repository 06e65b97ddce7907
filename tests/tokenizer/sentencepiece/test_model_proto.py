"""SentencePiece models from elsewhere get this project's ids and cut text as before."""

from __future__ import annotations

import io

import pytest
import sentencepiece

from lstmlm.tokenizer.sentencepiece.model_proto import algorithm, renumbered
from lstmlm.tokenizer.sentencepiece.processor import special_ids


def trained(texts: list[str], **settings: object) -> bytes:
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(texts), model_writer=model, vocab_size=400, minloglevel=2, **settings
    )
    return model.getvalue()


# Those of the library's own defaults, of T5, of LLaMA, of fairseq, of a model without begin and end, and ours.
LAYOUTS = [
    ({}, 401),
    ({"pad_id": 0, "eos_id": 1, "unk_id": 2, "bos_id": -1}, 401),
    ({"model_type": "bpe", "byte_fallback": True, "unk_surface": " ? "}, 401),
    ({"bos_id": 0, "pad_id": 1, "eos_id": 2, "unk_id": 3, "unk_piece": "[UNK]", "model_type": "bpe"}, 400),
    ({"bos_id": -1, "eos_id": -1, "user_defined_symbols": ["<mask>"]}, 403),
    ({"pad_id": 0, "unk_id": 1, "bos_id": 2, "eos_id": 3}, 400),
]


@pytest.mark.parametrize(("settings", "size"), LAYOUTS)
def test_special_ids_move_and_pieces_stay(settings: dict[str, object], size: int, texts: list[str]) -> None:
    model = trained(texts, **settings)
    changed = renumbered(model)
    before = sentencepiece.SentencePieceProcessor(model_proto=model)
    after = sentencepiece.SentencePieceProcessor(model_proto=changed)
    assert special_ids(after) == (0, 1, 2, 3)
    assert after.get_piece_size() == size
    for text in [*texts[:300], "日本 <mask> </s> <unk> [UNK]", ""]:
        pieces = before.encode(text, out_type=str)
        assert after.encode(text, out_type=str) == pieces
        assert after.decode(after.encode(text)) == before.decode(before.encode(text))
    assert renumbered(changed) == changed
    assert (changed == model) == (special_ids(before) == (0, 1, 2, 3))
    assert algorithm(model) == algorithm(changed) == settings.get("model_type", "unigram")


def test_tensorflow_text_reads_what_was_changed(texts: list[str]) -> None:
    tensorflow_text = pytest.importorskip("tensorflow_text")
    changed = renumbered(trained(texts))
    ours = sentencepiece.SentencePieceProcessor(model_proto=changed)
    theirs = tensorflow_text.SentencepieceTokenizer(model=changed)
    assert theirs.tokenize(texts[:50]).to_list() == ours.encode(texts[:50])


def test_what_is_no_model_is_refused() -> None:
    with pytest.raises(RuntimeError):
        renumbered(b"nothing")
