"""Evaluates a language model: perplexity per token and per word, compared with two n-gram models on the same tokens."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from lstmlm.evaluation.ngram import kneser_ney_nll, unigram_nll
from lstmlm.evaluation.perplexity import count_words, perplexity, word_perplexity
from lstmlm.records.record import Record

if TYPE_CHECKING:
    from lstmlm.models.language_model import LanguageModel
    from lstmlm.recipe.recipe import Recipe
    from lstmlm.recipe.sections.evaluation import Cache
    from lstmlm.task import Task
    from lstmlm.tokenizer import Tokenizer

ROWS = 16

Ints = npt.NDArray[np.int32]
Floats = npt.NDArray[np.float64]


def evaluate_language(
    export: Path,
    records: Sequence[Record],
    training: Path | None,
    recipe: Recipe,
    task: Task,
    *,
    backward: bool = False,
) -> dict[str, Any]:
    """Measures perplexity on held-out records, read as one stream with the state carried along.

    Args:
        export: The export folder.
        records: The valid split, in corpus order.
        training: Folder with the train split's record shards: the count models learn from it. None: there are none.
        recipe: The run.
        task: The task, which builds the network.
        backward: Whether the model reads texts from their end; so do the count models then.

    Returns:
        `perplexity` per token, `word_perplexity` (the whole loss per word, or per character of scripts without spaces),
        `word_perplexity_eos` (each end of record counted as a word too, as word-level papers do), the counts, and
        where there is a train split `unigram_perplexity` and `trigram_perplexity` (interpolated Kneser-Ney) a token;
        with a cache, the same two word perplexities of the network and its cache together, as `cache_word_perplexity`
        and so on.
    """
    network, tokenizer = _loaded(export, recipe, task, backward=backward)
    held_out = stream([record.source for record in records], tokenizer)
    nats, cached = score_stream(network, held_out, recipe.examples.window, recipe.evaluation.cache)
    tokens, words = len(held_out) - 1, count_words(record.source for record in records)
    counted = {} if training is None else _count_models(training, held_out, tokenizer, words)
    found = {
        "perplexity": perplexity(nats, tokens),
        "word_perplexity": word_perplexity(nats, words),
        "word_perplexity_eos": word_perplexity(nats, words + len(records)),
        **counted,
        "tokens": tokens,
        "words": words,
        "records": len(records),
    }
    if recipe.evaluation.cache.size:
        found["cache_word_perplexity"] = word_perplexity(cached, words)
        found["cache_word_perplexity_eos"] = word_perplexity(cached, words + len(records))
    return found


def record_nats(
    export: Path, records: Sequence[Record], recipe: Recipe, task: Task, *, backward: bool = False
) -> Floats:
    """Measures each record within the stream of all, as `evaluate_language` does.

    Returns:
        For each record the nats of its tokens, the number of its tokens, *end* included, and that of its words;
        float64 [records, 3].
    """
    network, tokenizer = _loaded(export, recipe, task, backward=backward)
    texts = [record.source for record in records]
    held_out, window = stream(texts, tokenizer), recipe.examples.window
    nats = np.concatenate([found for found, _, _ in _windows(network, _side_by_side(held_out, window), window)], axis=1)
    tokens = np.diff(np.flatnonzero(held_out == tokenizer.END))  # no text holds an *end*
    sums = np.add.reduceat(nats.reshape(-1)[: len(held_out) - 1], np.cumsum(tokens) - tokens, dtype=np.float64)
    return np.stack([sums, tokens, [count_words([text]) for text in texts]], axis=1)


def _loaded(export: Path, recipe: Recipe, task: Task, *, backward: bool) -> tuple[Any, Tokenizer]:
    """Returns the network of an export and its tokenizer."""
    from lstmlm.models.weights import load_arrays
    from lstmlm.tokenizer import Tokenizer, tokenizer_file
    from lstmlm.tokenizer.backward import BackwardTokenizer

    tokenizer = (BackwardTokenizer if backward else Tokenizer)(tokenizer_file(export))
    network = task.build(recipe, tokenizer.size)
    load_arrays(export / "weights.npz", network.named_variables())
    return network, tokenizer


def _count_models(training: Path, held_out: Ints, tokenizer: Tokenizer, words: int) -> dict[str, float]:
    """Measures the count models, which learn from the records of the train split."""
    from lstmlm.records.shards import records_in

    learnt = stream((record.source for record in records_in(training.parent, "train")), tokenizer)
    tokens = len(held_out) - 1
    unigram, _ = unigram_nll([learnt], [held_out], tokenizer.size)
    trigram, _ = kneser_ney_nll([learnt], [held_out], tokenizer.size)
    return {
        "unigram_perplexity": perplexity(unigram, tokens),
        "trigram_perplexity": perplexity(trigram, tokens),
        "trigram_word_perplexity": word_perplexity(trigram, words),
    }


def stream(texts: Iterable[str], tokenizer: Tokenizer) -> Ints:
    """Returns *end*, then the tokens of each text closed by *end*: int32 [1 + targets]."""
    parts = [[tokenizer.END]]
    parts += [[*ids, tokenizer.END] for ids in tokenizer.encode_batch(list(texts))]
    return np.concatenate([np.asarray(part, np.int32) for part in parts])


def score_stream(network: LanguageModel, ids: Ints, window: int, cache: Cache | None = None) -> tuple[float, float]:
    """Sums the negative log-likelihood of every token but the first.

    The stream is cut into equal rows that are read side by side; a row starts with the token before its own first, and
    with an empty cache.

    Args:
        network: The model.
        ids: int32 [1 + targets].
        window: Tokens read at a time, the state carried from window to window.
        cache: A neural cache; None or of size 0: there is none.

    Returns:
        Nats of the network, and of the network with its cache (0 without one).
    """
    import tensorflow as tf

    from lstmlm.evaluation.neural_cache import NeuralCache

    memory = NeuralCache(cache, ROWS, network.stack.units) if cache is not None and cache.size else None
    total = mixed = 0.0
    for nats, outputs, targets in _windows(network, _side_by_side(ids, window), window):
        total += float(tf.reduce_sum(tf.where(targets > 0, nats, 0.0)))
        if memory is not None:
            mixed += memory.nats(nats, outputs, targets)
    return total, mixed


def _windows(network: LanguageModel, rows: Ints, window: int) -> Iterator[tuple[Any, Any, Any]]:
    """Yields, window by window with the states carried along, the nats of targets, the outputs, and the targets."""
    import tensorflow as tf

    score = tf.function(network.score_tokens)
    states = network.zero_state(tf.constant(ROWS))
    for start in range(0, rows.shape[1] - 1, window):
        tokens = tf.constant(rows[:, start : start + window + 1])
        nats, outputs, states = score(tokens, states)
        yield nats, outputs, tokens[:, 1:]


def _side_by_side(ids: Ints, window: int) -> Ints:
    """Cuts a stream into rows of whole windows, padded with 0: int32 [ROWS, 1 + targets]."""
    columns = -(-(len(ids) - 1) // ROWS)
    columns = -(-columns // window) * window
    rows = np.zeros([ROWS, columns + 1], np.int32)
    for row in range(ROWS):
        part = ids[row * columns : (row + 1) * columns + 1]
        rows[row, : len(part)] = part
    return rows
