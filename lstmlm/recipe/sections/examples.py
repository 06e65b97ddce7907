"""`examples`: how token ids become training examples."""

from __future__ import annotations

from pydantic import Field

from lstmlm.recipe.sections.section import Positive, Section


class ExamplesSection(Section):
    """How token ids are laid out for training."""

    window: Positive = Field(64, description="Tokens a language-model window holds.")
    max_source: Positive = Field(64, description="Source tokens kept of a pair; the rest is cut and counted.")
    max_target: Positive = Field(64, description="Target tokens kept of a pair, likewise.")
    buckets: tuple[Positive, ...] = Field(
        (8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512),
        description="Upper lengths (tokens) pairs are grouped by; a batch is padded to its bucket.",
    )
