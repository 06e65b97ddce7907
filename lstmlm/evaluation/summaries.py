"""ROUGE of summaries in any script, and the baseline that repeats the beginning of the source."""

from __future__ import annotations

import importlib.metadata
import math
from collections.abc import Sequence

from rouge_score.rouge_scorer import RougeScorer
from rouge_score.tokenizers import Tokenizer

from lstmlm.corpus.wording.split import first_words, split_words, terms
from lstmlm.evaluation.intervals import mean_interval
from lstmlm.evaluation.languages import rouge_tokenizer

_NAMES = {"rouge1": "rouge_1", "rouge2": "rouge_2", "rougeL": "rouge_l"}


class Terms(Tokenizer):
    """Splits texts of any script for ROUGE: see `lstmlm.corpus.wording.split.terms`."""

    def tokenize(self, text: str) -> list[str]:
        """Returns the words of a text, or its letters where no spaces separate words."""
        return terms(text)


def rouge_metrics(
    outputs: Sequence[str],
    references: Sequence[Sequence[str]],
    *,
    language: str | None = None,
    seed: int | None = None,
) -> dict[str, float | str]:
    """Scores outputs by mean F1 of ROUGE-1, ROUGE-2 and ROUGE-L.

    For English as Lin (2004) and the package rouge-score do: terms of a-z and 0-9, with the Porter stemmer. In other
    languages a term is a whole word, or a letter where no spaces separate words, as for Chinese; there is no stemmer.

    Args:
        outputs: One text per source.
        references: For each output, its accepted texts; the best of them counts, for each metric by itself.
        language: Language of the outputs, ISO 639-1 (`rouge_tokenizer`).
        seed: Decides the draws of the intervals; None: there are none.

    Returns:
        `rouge_1`, `rouge_2` and `rouge_l`, 0 to 100; with a seed, `rouge_1_low`, `rouge_1_high` and so on, the ends of
        their 95% bootstrap intervals; and `rouge_signature`, which says how they were computed.
    """
    english = rouge_tokenizer(language, references) == "english"
    scores = _rouge_scores(outputs, references, english=english)
    found: dict[str, float | str] = {name: math.fsum(values) / len(outputs) for name, values in scores.items()}
    if seed is not None:
        for name, values in scores.items():
            found[f"{name}_low"], found[f"{name}_high"] = mean_interval(values, seed)
    return found | {"rouge_signature": _signature(references, english)}


def rouge_scores(
    outputs: Sequence[str], references: Sequence[Sequence[str]], *, language: str | None = None
) -> dict[str, list[float]]:
    """Returns the scores of each output; see `rouge_metrics`."""
    return _rouge_scores(outputs, references, english=rouge_tokenizer(language, references) == "english")


def _rouge_scores(
    outputs: Sequence[str], references: Sequence[Sequence[str]], *, english: bool
) -> dict[str, list[float]]:
    if len(outputs) != len(references) or not outputs or not all(references):
        raise ValueError(f"{len(outputs)} outputs, {len(references)} lists of references; each needs one text at least")
    scorer = RougeScorer(list(_NAMES), use_stemmer=english, tokenizer=None if english else Terms())
    best = [scorer.score_multi(list(texts), output) for output, texts in zip(outputs, references, strict=True)]
    return {name: [100.0 * one[key].fmeasure for one in best] for key, name in _NAMES.items()}


def lead_outputs(sources: Sequence[str], references: Sequence[Sequence[str]]) -> list[str]:
    """Returns the first n words of each source, n being the mean length of all references, in words, rounded.

    In a script without spaces between words, a letter counts as a word (`split_words`).
    """
    lengths = [len(split_words(text)) for texts in references for text in texts]
    if not lengths:
        raise ValueError("no reference to take the length from")
    words = round(sum(lengths) / len(lengths))
    return [first_words(source, words) for source in sources]


def repeated_trigrams(outputs: Sequence[str]) -> float:
    """Returns the share of trigrams of words that occurred before in the same output, 0 to 1 (See et al. 2017)."""
    counts = [count_repeated(output) for output in outputs]
    total = sum(trigrams for _, trigrams in counts)
    return sum(repeated for repeated, _ in counts) / total if total else 0.0


def count_repeated(output: str) -> tuple[int, int]:
    """Returns how many trigrams of words of an output occurred before in it, and how many there are."""
    words = split_words(output)
    trigrams = list(zip(words, words[1:], words[2:], strict=False))
    return len(trigrams) - len(set(trigrams)), len(trigrams)


def _signature(references: Sequence[Sequence[str]], english: bool) -> str:
    """Returns how ROUGE was computed, in the form of sacreBLEU's signatures."""
    counts = {len(texts) for texts in references}
    known = {
        "nrefs": str(counts.pop()) if len(counts) == 1 else "var",
        "tok": "rouge_score" if english else "terms",
        "stem": "porter" if english else "no",
        "version": importlib.metadata.version("rouge-score"),
    }
    return "|".join(f"{name}:{value}" for name, value in known.items())
