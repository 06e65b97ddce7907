"""`gopher`: Gopher's rules for whole documents, which are for English and for scripts without spaces."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from lstmlm.corpus.steps.quality.rule_set import TextRules

if TYPE_CHECKING:
    from lstmlm.corpus.steps.quality.texts import Reasons, Texts
    from lstmlm.recipe.sections.corpus import CorpusSection


_FITTING = ("en", "ja", "km", "lo", "th", "zh")
"""Languages of the rules: English, and those without spaces, to which its stop words are not applied."""


class Gopher(TextRules):
    """See `lstmlm.corpus.steps.quality.gopher`."""

    prefix = "gopher"

    def clashes(self, corpus: CorpusSection) -> Iterator[str]:
        """See `RuleSet`."""
        foreign = [code for code in corpus.languages if code not in _FITTING]
        if foreign:
            yield (
                "the quality rules `gopher` are for English (they ask for its stop words) and scripts without spaces, "
                f"and `languages` has {', '.join(foreign)}: leave `gopher` out, or clean English with "
                "`languages: [en]` in a run of its own"
            )

    def warnings(self, corpus: CorpusSection) -> Iterator[str]:
        """See `RuleSet`: text that may be in another language."""
        if corpus.languages and set(corpus.languages) <= set(_FITTING):
            return
        others = [code for code in corpus.languages if code not in _FITTING]
        found = f"texts in {', '.join(others)}" if others else "texts in other languages"
        hint = "leave `gopher` out" if others else "set corpus.languages to [en]"
        yield (
            f"the rule set `gopher` is for English: {found} lack its stop words and are dropped as "
            f"gopher_few_stop_words; {hint}"
        )

    def reasons(self, texts: Texts) -> Reasons:
        """See `TextRules`."""
        from lstmlm.corpus.steps.quality.gopher import gopher

        return gopher(texts)


RULES = Gopher()
