"""A published model as a Python object: texts in, texts out."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from lstmlm.decoding.meter import Meter
from lstmlm.errors import UserError
from lstmlm.inference.model.operations import check_operations
from lstmlm.publish.folder import read_manifest
from lstmlm.tokenizer import JSON_FILE, Tokenizer, tokenizer_file


@dataclasses.dataclass(frozen=True, slots=True)
class Output:
    """What the model made of one text.

    Attributes:
        text: The decoded text.
        tokens: Number of tokens decoded for it.
        cut: Number of tokens of the source that were too many to be read.
        n_best: The best texts with their scores, best first, where the recipe asks for more than one; samples have no
            score.
        log_probability: Natural logarithm of the probability of the text, where the recipe asks for scores.
        token_scores: The same for each token, as the vocabulary writes it.
    """

    text: str
    tokens: int
    cut: int = 0
    n_best: tuple[tuple[str, float | None], ...] = ()
    log_probability: float | None = None
    token_scores: tuple[tuple[str, float], ...] = ()


OUTPUT_IDS, CONTINUATION_IDS, PRECEDING_IDS = "output_ids", "continuation_ids", "preceding_ids"
"""What a model that takes ids gives: those of a text of its own, of what follows the given text, or comes before."""

SPACES = " \t\n\r\f\v"


def continued(source: str, text: str) -> str:
    """Returns a continuation as it is put behind its source: with the space it begins with, if the source has none."""
    return text.removeprefix(" ") if not source or source[-1] in SPACES else text


def preceding(source: str, text: str) -> str:
    """Returns what a model that reads backward wrote, as it is put before its source: with a space between them."""
    return f"{text} " if text and source and source[0] not in SPACES else text


class ServedModel:
    """An export folder, loaded. A row's output depends only on its text and seed, not on the other rows."""

    def __init__(self, folder: Path, *, threads: int | None = None) -> None:
        """Verifies and loads the folder.

        Args:
            folder: The export folder.
            threads: TensorFlow threads to compute with. A process in which TensorFlow already runs keeps its own.

        Raises:
            UserError: Not a finished export, or one that does not have the signature.
        """
        read_manifest(folder, "export", verify=True)
        self.batch = batch_size(folder)
        self._loaded, self._call = load_signature(folder, threads)
        vocabulary = tokenizer_file(folder)
        # Of a vocabulary that tensorflow-text has no operation for, the model takes and gives ids.
        self._words = Tokenizer(vocabulary) if vocabulary.name == JSON_FILE else None

    def generate(self, texts: Sequence[str], seeds: Sequence[int], meter: Meter | None = None) -> list[Output]:
        """Decodes texts.

        Args:
            texts: Any number of texts.
            seeds: A seed for each, below 2**63; it decides the draws where decoding samples.
            meter: Counts what is done: all rows of a batch take as long as its longest.

        Returns:
            One output per text, in their order.
        """
        if len(texts) != len(seeds):
            raise ValueError(f"{len(texts)} texts and {len(seeds)} seeds")
        outputs: list[Output] = []
        meter = meter or Meter()
        for start in range(0, len(texts), self.batch):
            part = slice(start, start + self.batch)
            begun = time.perf_counter()
            found = self._generate_batch(texts[part], seeds[part])
            meter.finished(time.perf_counter() - begun, len(found))
            longest = max(output.tokens for output in found)
            meter.step(self.batch * longest, sum(output.tokens for output in found))
            outputs += found
        return outputs

    def failures(self) -> tuple[type[Exception], ...]:
        """See `TextModel`."""
        import tensorflow as tf

        return (tf.errors.OpError, ValueError, MemoryError)

    def _generate_batch(self, texts: Sequence[str], seeds: Sequence[int]) -> list[Output]:
        import tensorflow as tf

        # Always the same shape: matrix products may round differently for another number of rows.
        padding = self.batch - len(texts)
        if self._words is not None:
            return self._generate_ids(self._words, texts, seeds)
        rows = tf.constant([text.encode("utf-8") for text in texts] + [b""] * padding)
        result = self._call(text=rows, seed=tf.constant([*seeds, *[0] * padding], tf.int64))
        decoded, tokens = result["output"].numpy(), result["tokens"].numpy()
        cut = result["cut"].numpy() if "cut" in result else [0] * self.batch
        return [
            Output(decoded[row].decode("utf-8", "replace"), int(tokens[row]), int(cut[row]))
            for row in range(len(texts))
        ]

    def _generate_ids(self, words: Tokenizer, texts: Sequence[str], seeds: Sequence[int]) -> list[Output]:
        import tensorflow as tf

        padding = self.batch - len(texts)
        encoded = tf.ragged.constant([*words.encode_batch(texts), *[[]] * padding], tf.int32, ragged_rank=1)
        result = self._call(ids=encoded.to_tensor(), seed=tf.constant([*seeds, *[0] * padding], tf.int64))
        tokens, cut = result["tokens"].numpy().tolist(), result["cut"].numpy().tolist()
        if OUTPUT_IDS in result:
            outputs = [words.decode(ids) for ids in result[OUTPUT_IDS].numpy()[: len(texts)]]
        elif PRECEDING_IDS in result:
            before = zip(texts, result[PRECEDING_IDS].numpy(), strict=False)
            outputs = [preceding(text, words.decode(ids)) for text, ids in before]
        else:
            found = zip(texts, result[CONTINUATION_IDS].numpy(), strict=False)
            outputs = [continued(text, words.decode_continuation(ids)) for text, ids in found]
        return [Output(*row) for row in zip(outputs, tokens, cut, strict=False)]


def batch_size(folder: Path) -> int:
    """Returns the number of rows that the model of an export folder is made to decode together.

    Raises:
        UserError: `model.json` does not say it.
    """
    path = folder / "model.json"
    try:
        size = json.loads(path.read_text(encoding="utf-8"))["batch"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UserError("has no field `batch`", where=str(path), hint="Export again") from error
    if isinstance(size, bool) or not isinstance(size, int) or size < 1:
        raise UserError(f"`batch` is {size!r}, not a number of rows", where=str(path), hint="Export again")
    return size


def load_signature(folder: Path, threads: int | None) -> tuple[Any, Any]:
    """Loads the SavedModel of an export folder.

    Args:
        folder: The export folder.
        threads: TensorFlow threads to compute with; see `bound_threads`.

    Returns:
        What owns the variables, and must be kept for as long as the function is called; and the function of the
        signature `serving_default`.

    Raises:
        UserError: It does not have the signature, or operations that an export has not.
    """
    bound_threads(threads)
    import tensorflow as tf
    import tensorflow_text  # noqa: F401 - registers the operations of the tokenizer

    check_operations(folder)
    loaded = tf.saved_model.load(str(folder))
    if "serving_default" not in loaded.signatures:
        raise UserError("the SavedModel has no signature serving_default", where=str(folder), hint="Export again")
    return loaded, loaded.signatures["serving_default"]


def bound_threads(threads: int | None) -> None:
    """Limits the threads TensorFlow computes with, where it has not started yet in this process."""
    if threads is None:
        return
    import tensorflow as tf

    # Once TensorFlow runs, its pools cannot change: the code that started it has sized them.
    with contextlib.suppress(RuntimeError):
        tf.config.threading.set_intra_op_parallelism_threads(threads)
        tf.config.threading.set_inter_op_parallelism_threads(1)
