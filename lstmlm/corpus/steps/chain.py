"""The steps that a recipe asks for, in their order."""

from __future__ import annotations

from pathlib import Path

from lstmlm.corpus.steps.decontaminate import Decontaminate
from lstmlm.corpus.steps.filters import filters
from lstmlm.corpus.steps.further import FurtherTexts
from lstmlm.corpus.steps.language import KeepLanguages
from lstmlm.corpus.steps.language_sample import SampleLanguages
from lstmlm.corpus.steps.normalise import Normalise
from lstmlm.corpus.steps.privacy.scrub import Scrub
from lstmlm.corpus.steps.quality.step import Quality
from lstmlm.corpus.steps.step import Step
from lstmlm.recipe.sections.corpus import CorpusSection


def steps(corpus: CorpusSection, contamination: Path | None, further: FurtherTexts) -> list[Step]:
    """Returns the steps from read records to the records that are kept.

    Cheap ones come first, and scrubbing last: the others see the text as it was written, and what they drop is
    scrubbed with what stays.

    Args:
        corpus: The recipe's `corpus` section.
        contamination: Index of the evaluation files' n-grams, where there is one.
        further: Says which texts a record has next to source and targets.
    """
    chain: list[Step] = []
    if corpus.normalise:
        chain.append(Normalise())
    if corpus.quality:
        chain.append(Quality(corpus.quality, further))
    chain += filters(corpus)
    if corpus.languages or corpus.target_languages:
        chain.append(KeepLanguages(corpus.languages, corpus.target_languages, further))
    else:
        chain.append(SampleLanguages())
    if contamination is not None:
        chain.append(Decontaminate(contamination, corpus.decontamination.ngram, further))
    if corpus.privacy.kinds:
        chain.append(Scrub(corpus.privacy, exclusions=corpus.exclusions))
    return chain
