"""The versions of what other packages add to the steps of a corpus: part of the fingerprint of its records."""

from __future__ import annotations

from lstmlm.corpus.reading.readers import READERS
from lstmlm.corpus.steps.filters import filters
from lstmlm.corpus.steps.privacy.kind import known_names, privacy_kind
from lstmlm.corpus.steps.quality.rule_set import RULE_SETS
from lstmlm.recipe.sections.corpus import Corpus


def extension_versions(corpus: Corpus) -> list[str]:
    """Returns `name version` of each extension that a recipe names; those of this package have the stage's version."""
    kinds = {name: privacy_kind(name).version for name in corpus.privacy.kinds if name not in known_names()}
    added = (
        READERS.versions(corpus.readers)
        + RULE_SETS.versions(corpus.quality)
        + [f"{name} {version}" for name, version in kinds.items()]
    )
    return added + [f"{each.name} {made.version}" for each, made in zip(corpus.filters, filters(corpus), strict=True)]
