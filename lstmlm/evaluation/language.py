"""Judges a language model: perplexity a token and a word, beside two count models on the same tokens."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from lstmlm.evaluation.ngram import kneser_ney_nll, unigram_nll
from lstmlm.evaluation.perplexity import count_words, perplexity, word_perplexity
from lstmlm.records import Record

if TYPE_CHECKING:
    from lstmlm.models.language_model import LanguageModel
    from lstmlm.recipe import Recipe
    from lstmlm.task import Task
    from lstmlm.tokenizer import Tokenizer

ROWS = 16


def judge_language(
    export: Path, records: Sequence[Record], training: Path, recipe: Recipe, task: Task
) -> dict[str, Any]:
    """Measures perplexity on held-out records, read as one stream with the state carried along.

    Args:
        export: The export folder.
        records: The valid split, in corpus order.
        training: Folder with the train split's record shards: the count models learn from it.
        recipe: The run.
        task: The task, which builds the network.

    Returns:
        `perplexity` a token, `word_perplexity` (the whole loss over whitespace-separated words alone),
        `word_perplexity_eos` (each end of record counted as a word too, as word-level papers do), the counts, and
        `unigram_perplexity` and `trigram_perplexity` (interpolated Kneser-Ney) a token.
    """
    from lstmlm.corpus.shards import records_in
    from lstmlm.tokenizer import Tokenizer
    from lstmlm.training.checkpoint import load_arrays

    tokenizer = Tokenizer(export / "tokenizer.model")
    network = task.build(recipe, tokenizer.size)
    load_arrays(export / "weights.npz", network.named_variables())
    held_out = stream([record.source for record in records], tokenizer)
    learnt = stream((record.source for record in records_in(training.parent, "train")), tokenizer)
    nats = score_stream(network, held_out, recipe.examples.window)
    tokens, words = len(held_out) - 1, count_words(record.source for record in records)
    unigram, _ = unigram_nll([learnt], [held_out], tokenizer.size)
    trigram, _ = kneser_ney_nll([learnt], [held_out], tokenizer.size)
    return {
        "perplexity": perplexity(nats, tokens),
        "word_perplexity": word_perplexity(nats, words),
        "word_perplexity_eos": word_perplexity(nats, words + len(records)),
        "unigram_perplexity": perplexity(unigram, tokens),
        "trigram_perplexity": perplexity(trigram, tokens),
        "trigram_word_perplexity": word_perplexity(trigram, words),
        "tokens": tokens,
        "words": words,
        "records": len(records),
    }


def stream(texts: Iterable[str], tokenizer: Tokenizer) -> npt.NDArray[np.int32]:
    """Returns *end*, then the tokens of each text closed by *end*: int32 [1 + targets]."""
    parts = [[tokenizer.END]]
    parts += [[*ids, tokenizer.END] for ids in tokenizer.encode_batch(list(texts))]
    return np.concatenate([np.asarray(part, np.int32) for part in parts])


def score_stream(network: LanguageModel, ids: npt.NDArray[np.int32], window: int) -> float:
    """Sums the negative log-likelihood of every token but the first.

    The stream is cut into equal rows that are read side by side; a row starts with the token before its own first.

    Args:
        network: The model.
        ids: int32 [1 + targets].
        window: Tokens read at a time, the state carried from window to window.

    Returns:
        Nats.
    """
    import tensorflow as tf

    targets = len(ids) - 1
    columns = -(-targets // ROWS)
    columns = -(-columns // window) * window
    rows = np.zeros([ROWS, columns + 1], np.int32)
    for row in range(ROWS):
        part = ids[row * columns : (row + 1) * columns + 1]
        rows[row, : len(part)] = part
    score = tf.function(network.score)
    states = network.zero_state(tf.constant(ROWS))
    total = 0.0
    for start in range(0, columns, window):
        nats, _, states = score(tf.constant(rows[:, start : start + window + 1]), states)
        total += float(nats)
    return total
