"""The versions of what other packages add to the steps of a corpus: part of the fingerprint of its records."""

from __future__ import annotations

from lstmlm import plugins
from lstmlm.corpus.steps.filters import filters
from lstmlm.corpus.steps.privacy.kind import known_names, privacy_kind
from lstmlm.corpus.steps.quality.rule_set import PACKAGE, rule_set
from lstmlm.recipe.sections.corpus import Corpus


def extension_versions(corpus: Corpus) -> list[str]:
    """Returns `name version` of each extension that a recipe names; those of this package have the stage's version."""
    rules = {name: rule_set(name).version for name in corpus.quality if name not in plugins.builtin_names(PACKAGE)}
    kinds = {name: privacy_kind(name).version for name in corpus.privacy.kinds if name not in known_names()}
    added = [f"{name} {version}" for found in (rules, kinds) for name, version in found.items()]
    return added + [f"{each.name} {made.version}" for each, made in zip(corpus.filters, filters(corpus), strict=True)]
