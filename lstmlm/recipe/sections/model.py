"""`model`: the network."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, field_validator

from lstmlm.recipe.sections.section import Dropout, Positive, Section

REGULARISATION = frozenset({"dropout", "input_dropout", "output_dropout", "embedding_dropout", "weight_drop"})
"""Fields of `Model` that act in training only: two models that differ in them are the same network."""


class ModelSection(Section):
    """The network: its sizes, what is dropped in training, how it attends and predicts."""

    embedding: Positive = Field(256, description="Width of the token embedding, tied to the output layer.")
    units: Positive = Field(512, description="Units of an LSTM layer (of the decoder, for pairs).")
    layers: Positive = Field(1, description="LSTM layers (of the decoder, for pairs).")
    residual: bool = Field(False, description="Add a layer's input to its output, from the second layer on.")
    encoder_units: Positive = Field(256, description="Units of each direction of the encoder.")
    encoder_layers: Positive = Field(1, description="Bidirectional layers of the encoder.")
    attention: Literal["luong", "bahdanau"] = Field("luong", description="General (product) or additive score (pairs).")
    input_feeding: bool = Field(
        False, description="The decoder reads the last attentional vector too (pairs); trains step by step, so slower."
    )
    pointer: bool = Field(False, description="Mix copying source tokens into the prediction (pairs; See et al. 2017).")
    coverage: bool = Field(
        False,
        description="Attention depends on what was attended to before (pairs; See et al. 2017). It trains a little "
        "slower; `training.coverage_loss` makes it repeat less.",
    )
    softmax: Literal["full", "adaptive"] = Field(
        "full", description="Adaptive is faster for large vocabularies whose ids fall in frequency (Grave et al. 2017)."
    )
    cutoffs: tuple[Positive, ...] = Field(
        (), description="First ids of the rare clusters (adaptive); absent: at an eighth and at half of the vocabulary."
    )
    dropout: Dropout = Field(0.2, description="Share of units dropped behind each layer, locked over time.")
    input_dropout: Dropout | None = Field(None, description="The same on the embedded input; absent: `dropout`.")
    output_dropout: Dropout | None = Field(None, description="The same behind the last layer; absent: `dropout`.")
    embedding_dropout: Dropout = Field(0.0, description="Share of the vocabulary whose embedding is 0 for a step.")
    weight_drop: Dropout = Field(0.0, description="Share of recurrent weights that are 0 for a step (DropConnect).")

    @field_validator("cutoffs")
    @classmethod
    def _rising(cls, value: tuple[int, ...]) -> tuple[int, ...]:
        if list(value) != sorted(set(value)):
            raise ValueError(f"must rise, and is {list(value)}. Write {sorted(set(value))}")
        return value

    def clusters(self, vocabulary: int) -> tuple[int, ...]:
        """Returns the first ids of the rare clusters of an adaptive softmax; a full one has none."""
        if self.softmax == "full":
            return ()
        return self.cutoffs or (vocabulary // 8, vocabulary // 2)
