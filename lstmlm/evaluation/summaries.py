"""ROUGE of summaries, and the baseline that repeats the beginning of the source."""

from __future__ import annotations

from collections.abc import Sequence

from rouge_score.rouge_scorer import RougeScorer

_NAMES = {"rouge1": "rouge_1", "rouge2": "rouge_2", "rougeL": "rouge_l"}


def rouge_metrics(outputs: Sequence[str], references: Sequence[Sequence[str]], prefix: str = "") -> dict[str, float]:
    """Scores outputs by mean F1 of ROUGE-1, ROUGE-2 and ROUGE-L, with the Porter stemmer.

    ROUGE splits text at everything but a-z and 0-9: it is made for English.

    Args:
        outputs: One text a source.
        references: For each output, its accepted texts; the best of them counts, for each metric by itself.
        prefix: Put before the names, for example `lead_`.

    Returns:
        `rouge_1`, `rouge_2` and `rouge_l`, 0 to 100.
    """
    if len(outputs) != len(references) or not outputs or not all(references):
        raise ValueError(f"{len(outputs)} outputs, {len(references)} lists of references; each needs one text at least")
    scorer = RougeScorer(list(_NAMES), use_stemmer=True)
    sums = dict.fromkeys(_NAMES, 0.0)
    for output, texts in zip(outputs, references, strict=True):
        best = scorer.score_multi(list(texts), output)
        for name in _NAMES:
            sums[name] += best[name].fmeasure
    return {prefix + name: 100.0 * sums[key] / len(outputs) for key, name in _NAMES.items()}


def lead_outputs(sources: Sequence[str], references: Sequence[Sequence[str]]) -> list[str]:
    """Returns the first n words of each source, n being the mean length of all references, in words, rounded."""
    lengths = [len(text.split()) for texts in references for text in texts]
    if not lengths:
        raise ValueError("no reference to take the length from")
    words = round(sum(lengths) / len(lengths))
    return [" ".join(source.split()[:words]) for source in sources]


def lead_metrics(sources: Sequence[str], references: Sequence[Sequence[str]]) -> dict[str, float]:
    """Returns `lead_rouge_1`, `lead_rouge_2` and `lead_rouge_l`: ROUGE of `lead_outputs`."""
    return rouge_metrics(lead_outputs(sources, references), references, prefix="lead_")


def summary_metrics(
    outputs: Sequence[str], references: Sequence[Sequence[str]], sources: Sequence[str]
) -> dict[str, float]:
    """Returns ROUGE of the outputs and, named `lead_...`, of the lead baseline on the same sources."""
    return {**rouge_metrics(outputs, references), **lead_metrics(sources, references)}
