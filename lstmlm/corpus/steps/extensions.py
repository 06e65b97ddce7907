"""The versions of what other packages add to the steps of a corpus: part of the fingerprint of its records."""

from __future__ import annotations

from lstmlm.corpus.reading.readers import READERS
from lstmlm.corpus.steps.filters import filters
from lstmlm.corpus.steps.privacy.kind import kind_versions
from lstmlm.corpus.steps.quality.rule_set import RULE_SETS
from lstmlm.recipe.sections.corpus import CorpusSection


def extension_versions(corpus: CorpusSection) -> list[str]:
    """Returns `name version` of each extension that a recipe names; those of this package have the stage's version."""
    added = READERS.versions(corpus.readers) + RULE_SETS.versions(corpus.quality) + kind_versions(corpus.privacy.kinds)
    return added + [f"{each.name} {made.version}" for each, made in zip(corpus.filters, filters(corpus), strict=True)]
