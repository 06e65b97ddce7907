"""`task_options` of the task that gives labels."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from lstmlm.recipe.sections.section import Dropout, Fraction, Positive, Section, refuse

PoolingName = Literal["last", "max", "mean", "attention"]


class LabelOptions(Section):
    """What is labelled, and by which network."""

    label: str = Field("label", description="Column or key of the labels: text or whole numbers.")
    kind: Literal["one", "many", "tokens"] = Field(
        "one",
        description="One label a text; any number of labels a text (a list, or text with `separator`); or a label a "
        "word: spans `[start, end, label]` of the text, or a label for each word of a text that is a list of words, "
        "where `B-` and `I-` begin and continue a span and `O` is no label.",
    )
    separator: str | None = Field(None, description="What separates several labels in one text, such as `,`.")
    threshold: Fraction = Field(0.5, description="Smallest probability of a label that is given (`many`).")
    network: Literal["encoder", "article"] = Field(
        "encoder",
        description="`encoder`: bidirectional LSTM layers (`model.encoder_units`, `model.encoder_layers`), pooled; "
        "`article`: the network of the preset of that name, an LSTM layer and two dense layers over each token.",
    )
    pooling: tuple[PoolingName, ...] = Field(
        ("last", "max", "mean"),
        min_length=1,
        description="What is made of a text's tokens, concatenated (Howard and Ruder 2018); `attention` weighs them.",
    )
    pooled_dropout: Dropout = Field(0.2, description="Share of the pooled numbers that are 0 for a step.")
    ngrams: Annotated[int, Field(ge=0, le=5)] = Field(
        0, description="Longest n-gram of tokens that adds a weight of its own to each label; 0: none."
    )
    ngram_buckets: Positive = Field(1 << 18, description="Rows of the table that n-grams are hashed into.")
    ngram_dropout: Dropout = Field(0.0, description="Share of the weights of n-grams that are 0 for a step.")
    ngram_ratios: bool = Field(
        False,
        description="Multiply the weights of n-grams by how much more often each occurs in texts of a label than in "
        "others of the train split (Wang and Manning 2012).",
    )
    members: Positive = Field(
        1, description="Networks with weights of their own whose mean predicts (Lakshminarayanan et al. 2017)."
    )

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        refuse(self._clashes())
        return self

    def _clashes(self) -> Iterator[str]:
        if len(set(self.pooling)) < len(self.pooling):
            yield "pooling has a duplicate. Name each once"
        if self.separator == "":
            yield "separator is empty. Leave it out, or name a text"
        if self.separator is not None and self.kind != "many":
            yield f"separator needs kind many, and it is {self.kind}. Leave it out"
        if self.network == "article" and (self.ngrams or self.members > 1):
            yield "the network of the article has neither ngrams nor members. Leave them out"
        if self.kind == "tokens" and self.ngrams:
            yield "ngrams are of a whole text, and kind is tokens. Leave them out"
        if self.ngram_ratios and not self.ngrams:
            yield "ngram_ratios are of n-grams, and ngrams is 0. Set ngrams, or leave ngram_ratios out"
