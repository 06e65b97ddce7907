"""The vocabulary: SentencePiece with byte fallback, trained on the train split."""

from __future__ import annotations

import heapq
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import sentencepiece

from lstmlm.corpus.shards import records_in
from lstmlm.errors import UserError
from lstmlm.progress import Progress
from lstmlm.publish import Manifest, fingerprint, is_finished, publish, read_manifest
from lstmlm.recipe import Recipe
from lstmlm.records import Record, stable_hash
from lstmlm.task import load_task

TOKENIZER_VERSION = 1
"""Raise it with every change that makes `train_tokenizer` write other bytes."""

KIND = "tokenizer"
MODEL_FILE = "tokenizer.model"

_LINE_CHARACTERS = 1000  # at most 4000 bytes: SentencePiece skips lines over 4192
_UNKNOWN_SURFACE = "\N{REPLACEMENT CHARACTER}"


class Tokenizer:
    """Turns text into token ids and back.

    Runs of white space come back as one space, and none at the ends; other text comes back as it was.
    """

    PAD = 0
    UNK = 1
    BEGIN = 2
    END = 3

    def __init__(self, path: Path) -> None:
        """Loads a vocabulary.

        Args:
            path: A `tokenizer.model` file.

        Raises:
            UserError: It is not there or not a SentencePiece model.
        """
        cure = "Name the tokenizer.model of a finished tokenizer stage"
        try:
            self.model_bytes = Path(path).read_bytes()
            self._processor = sentencepiece.SentencePieceProcessor(model_proto=self.model_bytes)
        except (OSError, RuntimeError) as error:
            raise UserError("not a SentencePiece model", where=str(path), cure=cure) from error

    @property
    def size(self) -> int:
        """Number of pieces: ids are below it."""
        return int(self._processor.get_piece_size())

    def encode(self, text: str) -> list[int]:
        """Returns the token ids of a text, without begin and end."""
        ids: list[int] = self._processor.encode(text)
        return ids

    def encode_batch(self, texts: Sequence[str]) -> list[list[int]]:
        """Returns the token ids of each text."""
        # Measured: SentencePiece's own batch call starts a thread each time and is no faster on long lists.
        return [self.encode(text) for text in texts]

    def decode(self, ids: Iterable[int]) -> str:
        """Returns the text of token ids; pad, begin and end count for nothing."""
        silent = (self.PAD, self.BEGIN, self.END)
        text: str = self._processor.decode([int(token) for token in ids if token not in silent])
        return text


def train_tokenizer(recipe: Recipe, records: Path, output: Path, progress: Progress) -> Manifest:
    """Trains the vocabulary on a sample of the train split and publishes `tokenizer.model`.

    The facts hold `vocabulary` (pieces) and `sampled` (records).

    Args:
        recipe: The run; `tokenizer`, `task` and `seed` are used.
        records: A records folder.
        output: The folder to publish; a no-op where it holds this result.
        progress: Told how far it is.

    Raises:
        UserError: The vocabulary does not fit the text.
    """
    source = read_manifest(records, "records")
    section = recipe.tokenizer.model_dump(mode="json")
    stamp = fingerprint(KIND, TOKENIZER_VERSION, recipe.task, recipe.seed, section, source.fingerprint)
    if is_finished(output, KIND, stamp):
        return read_manifest(output, KIND)
    task = load_task(recipe.task)
    progress.update(0, unit="records", note="sampling")
    sample = sample_records(records_in(records, "train"), recipe.tokenizer.sample, recipe.seed)
    progress.update(len(sample), len(sample), unit="records", note="training the vocabulary")
    lines = (line for record in sample for text in task.vocabulary_texts(record) for line in training_lines(text))
    model = _train(lines, recipe)
    with publish(output, KIND, stamp) as draft:
        path = draft.path / MODEL_FILE
        path.write_bytes(model)
        draft.facts.update(vocabulary=Tokenizer(path).size, sampled=len(sample))
    return read_manifest(output, KIND)


def sample_records(records: Iterable[Record], limit: int, seed: int) -> list[Record]:
    """Returns at most `limit` records, drawn and ordered by a hash of the id: the same for every order of reading."""
    return heapq.nsmallest(limit, records, key=lambda record: (stable_hash("sample", seed, record.id), record.id))


def training_lines(text: str) -> Iterator[str]:
    """Cuts a text at white space into lines SentencePiece takes whole; longer words are cut too."""
    line = ""
    for word in text.split():
        for start in range(0, len(word), _LINE_CHARACTERS):
            piece = word[start : start + _LINE_CHARACTERS]
            if line and len(line) + 1 + len(piece) > _LINE_CHARACTERS:
                yield line
                line = piece
            else:
                line = f"{line} {piece}" if line else piece
    if line:
        yield line


def _train(lines: Iterator[str], recipe: Recipe) -> bytes:
    settings = recipe.tokenizer
    model = io.BytesIO()
    try:
        sentencepiece.SentencePieceTrainer.train(
            sentence_iterator=lines,
            model_writer=model,
            model_type=settings.algorithm,
            vocab_size=settings.vocabulary,
            user_defined_symbols=list(settings.symbols),
            byte_fallback=True,
            character_coverage=0.9995,
            normalization_rule_name="identity",
            num_threads=1,  # more threads add up floats in another order
            minloglevel=2,
            pad_id=Tokenizer.PAD,
            unk_id=Tokenizer.UNK,
            bos_id=Tokenizer.BEGIN,
            eos_id=Tokenizer.END,
            # The usual names, such as <unk>, may stand in the text and be symbols of it.
            pad_piece="<|pad|>",
            unk_piece="<|unknown|>",
            bos_piece="<|begin|>",
            eos_piece="<|end|>",
            unk_surface=_UNKNOWN_SURFACE,
        )
    except RuntimeError as error:
        raise _explained(error, settings.vocabulary) from error
    return model.getvalue()


def _explained(error: RuntimeError, vocabulary: int) -> Exception:
    """Returns what the user can do about an error of SentencePiece, or the error where that is nothing."""
    where = "tokenizer.vocabulary"
    message = str(error)
    high = re.search(r"value <= (\d+)", message)
    if high:
        cure = f"Set it to {high[1]} or less"
        return UserError(f"{vocabulary} pieces are more than the text gives", where=where, cure=cure)
    low = re.search(r"smaller than required_chars\. \d+ vs (\d+)", message)
    if low:
        cure = f"Set it to {low[1]} or more"
        return UserError(f"{vocabulary} pieces are fewer than the text has characters", where=where, cure=cure)
    return error
