"""BLEU and chrF of sacreBLEU, with any number of references for each output."""

from __future__ import annotations

from collections.abc import Sequence

from sacrebleu.metrics import BLEU, CHRF

from lstmlm.evaluation.languages import bleu_tokenizer


def translation_metrics(
    outputs: Sequence[str], references: Sequence[Sequence[str]], language: str | None = None
) -> dict[str, float | str]:
    """Scores outputs against all accepted references.

    Args:
        outputs: One text a source.
        references: For each output, its accepted texts; their number may differ.
        language: Language of the outputs, ISO 639-1, which decides BLEU's tokenizer (`bleu_tokenizer`).

    Returns:
        `bleu` and `chrf` (0 to 100), and `bleu_signature` and `chrf_signature`, which say how they were computed.
    """
    if len(outputs) != len(references) or not outputs or not all(references):
        raise ValueError(f"{len(outputs)} outputs, {len(references)} lists of references; each needs one text at least")
    streams = _streams(references)
    bleu, chrf = BLEU(tokenize=bleu_tokenizer(language, references)), CHRF()
    return {
        "bleu": float(bleu.corpus_score(outputs, streams).score),
        "chrf": float(chrf.corpus_score(outputs, streams).score),
        "bleu_signature": str(bleu.get_signature()),
        "chrf_signature": str(chrf.get_signature()),
    }


def _streams(references: Sequence[Sequence[str]]) -> list[list[str | None]]:
    """Turns references by output into the references by position that sacreBLEU takes; None fills the gaps."""
    width = max(len(texts) for texts in references)
    return [[texts[i] if i < len(texts) else None for texts in references] for i in range(width)]
