"""BLEU and chrF of sacreBLEU, with any number of references for each output."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from sacrebleu.metrics import BLEU, CHRF
from sacrebleu.metrics.base import Metric

from lstmlm.evaluation.languages import bleu_tokenizer
from lstmlm.records.sums import RecordSums


def translation_metrics(
    outputs: Sequence[str], references: Sequence[Sequence[str]], language: str | None = None
) -> dict[str, float | str]:
    """Scores outputs against all accepted references.

    Args:
        outputs: One text per source.
        references: For each output, its accepted texts; their number may differ.
        language: Language of the outputs, ISO 639-1, which decides BLEU's tokenizer (`bleu_tokenizer`).

    Returns:
        `bleu` and `chrf` (0 to 100), and `bleu_signature` and `chrf_signature`, which say how they were computed.
    """
    return {**bleu_metrics(outputs, references, language), **chrf_metrics(outputs, references)}


def bleu_metrics(
    outputs: Sequence[str], references: Sequence[Sequence[str]], language: str | None = None
) -> dict[str, float | str]:
    """Returns `bleu` and `bleu_signature`; see `translation_metrics`."""
    _check(outputs, references)
    bleu = BLEU(tokenize=bleu_tokenizer(language, references))
    score = float(bleu.corpus_score(outputs, _streams(references)).score)
    return {"bleu": score, "bleu_signature": str(bleu.get_signature())}


def chrf_metrics(outputs: Sequence[str], references: Sequence[Sequence[str]]) -> dict[str, float | str]:
    """Returns `chrf` and `chrf_signature`; see `translation_metrics`."""
    _check(outputs, references)
    chrf = CHRF()
    score = float(chrf.corpus_score(outputs, _streams(references)).score)
    return {"chrf": score, "chrf_signature": str(chrf.get_signature())}


def bleu_sums(outputs: Sequence[str], references: Sequence[Sequence[str]], language: str | None = None) -> RecordSums:
    """Returns the counts of each output that BLEU is computed from."""
    return _sums(BLEU(tokenize=bleu_tokenizer(language, references)), outputs, references)


def chrf_sums(outputs: Sequence[str], references: Sequence[Sequence[str]]) -> RecordSums:
    """Returns the counts of each output that chrF is computed from."""
    return _sums(CHRF(), outputs, references)


def _sums(metric: Metric, outputs: Sequence[str], references: Sequence[Sequence[str]]) -> RecordSums:
    """Returns the counts that sacreBLEU's own significance tests are computed from (`sacrebleu.significance`)."""
    _check(outputs, references)
    counts = np.array(metric._extract_corpus_statistics(outputs, _streams(references)), np.float64)
    return RecordSums(counts, lambda sums: float(metric._compute_score_from_stats(sums.astype(int).tolist()).score))


def _check(outputs: Sequence[str], references: Sequence[Sequence[str]]) -> None:
    if len(outputs) != len(references) or not outputs or not all(references):
        raise ValueError(f"{len(outputs)} outputs, {len(references)} lists of references; each needs one text at least")


def _streams(references: Sequence[Sequence[str]]) -> list[list[str | None]]:
    """Turns references by output into the references by position that sacreBLEU takes; None fills the gaps."""
    width = max(len(texts) for texts in references)
    return [[texts[i] if i < len(texts) else None for texts in references] for i in range(width)]
