"""How good transcripts are: error rates, and the error of word times."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from typing import Any

from lstmlm.bases.speech.error_rates import Errors, character_errors, matched, word_errors
from lstmlm.bases.speech.rows import TIMES
from lstmlm.decoding.ctc.alignment import greedy
from lstmlm.records.record import Record
from lstmlm.records.sums import RecordSums, ratio_of
from lstmlm.task import Prediction
from lstmlm.tokenizer import Tokenizer

NAMES = ("wer", "cer", "substitutions", "insertions", "deletions", "words", "wrong_transcripts", "transcripts")
TIME_NAMES = ("time_error", "time_error_90", "timed_words")


def measured(predictions: Sequence[Prediction], records: Sequence[Record]) -> dict[str, Any]:
    """Compares transcripts with those of records.

    Returns:
        `wer` and `cer`, edits over words and over characters; the `substitutions`, `insertions` and `deletions` of
        words; how many `words` and `transcripts` there are, and how many transcripts have an error. Where the records
        have times, `time_error` and `time_error_90`: median and 90th percentile of the distance in seconds between
        where a word begins or ends and where it should, over the `timed_words`, which are those that are right.
    """
    outputs = [str(one.fields["output"]) for one in predictions]
    references = [record.targets[0] for record in records]
    errors = word_errors(outputs, references)
    found: dict[str, Any] = {
        "wer": errors.rate,
        "cer": character_errors(outputs, references).rate,
        "substitutions": errors.substitutions,
        "insertions": errors.insertions,
        "deletions": errors.deletions,
        "words": errors.units,
        "wrong_transcripts": sum(a.split() != b.split() for a, b in zip(outputs, references, strict=True)),
        "transcripts": len(references),
    }
    if any(TIMES in record.columns for record in records):
        found |= _times(predictions, records)
    return found


def error_sums(predictions: Sequence[Prediction], records: Sequence[Record]) -> dict[str, RecordSums]:
    """Returns the edits and units of each transcript, which `wer` and `cer` are computed from."""
    pairs = [(str(one.fields["output"]), record.targets[0]) for one, record in zip(predictions, records, strict=True)]
    found = {}
    for name, count in (("wer", word_errors), ("cer", character_errors)):
        errors = [count([output], [reference]) for output, reference in pairs]
        found[name] = ratio_of([one.edits for one in errors], [one.units for one in errors], better="lower")
    return found


def _times(predictions: Sequence[Prediction], records: Sequence[Record]) -> dict[str, Any]:
    distances: list[float] = []
    for one, record in zip(predictions, records, strict=True):
        times: Any = record.columns.get(TIMES, ())
        words = one.fields["words"]
        _, right = matched([word["word"] for word in words], record.targets[0].split())
        for ours, theirs in right if times else []:
            distances.append(abs(words[ours]["start"] - times[2 * theirs]))
            distances.append(abs(words[ours]["end"] - times[2 * theirs + 1]))
    if not distances:
        return dict.fromkeys(TIME_NAMES, 0.0)
    ranked = sorted(distances)
    return {
        "time_error": statistics.median(ranked),
        "time_error_90": ranked[int(0.9 * (len(ranked) - 1))],
        "timed_words": len(distances) // 2,
    }


def greedy_errors(
    predicted: Mapping[str, Any], batch: Mapping[str, Any], tokenizer: Tokenizer
) -> dict[str, tuple[float, float]]:
    """Measures a batch during training: `wer` and `cer`, each as edits and units.

    Args:
        predicted: What the acoustic model gives, as arrays.
        batch: The batch, as arrays.
        tokenizer: The vocabulary.
    """
    words, characters = Errors(), Errors()
    for row in range(len(batch["is_example"])):
        if not batch["is_example"][row]:
            continue
        path = predicted["log_probabilities"][row, : predicted["steps"][row]]
        output = tokenizer.decode(greedy(path) if len(path) else [])
        reference = tokenizer.decode(batch["tokens"][row].tolist())
        words += word_errors([output], [reference])
        characters += character_errors([output], [reference])
    return {"wer": (words.edits, words.units), "cer": (characters.edits, characters.units)}
