"""`decoding`: how text is decoded."""

from __future__ import annotations

import operator
from collections.abc import Iterator
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, ValidationInfo, model_validator

from lstmlm.recipe.sections.section import FROM_DATA, Extension, Positive, Section, names_code, refuse

_BACKENDS = Extension("lstmlm.inference.model.backend_kind:BACKENDS")
BackendName = Annotated[str, _BACKENDS, AfterValidator(_BACKENDS.check)]


class DecodingSection(Section):
    """How text is decoded: by the batch job and the evaluation as their own recipe says, whatever the export's said.

    The SavedModel, which serves single requests, has it built in. It samples where `method` is `sample`, with the
    temperature only, and decodes greedily otherwise; output constraints and unknown-token replacement are not applied.
    """

    method: Literal["greedy", "sample", "beam"] = Field("greedy", description="Most likely token, a draw, or a beam.")
    temperature: Annotated[float, Field(ge=1e-4, allow_inf_nan=False)] = Field(
        1.0, description="Divides the logits before a draw; method sample, others take no notice of it."
    )
    top_k: Annotated[int, Field(ge=0)] = Field(0, description="Draw among that many most likely tokens; 0: all.")
    top_p: Annotated[float, Field(gt=0.0, le=1.0)] = Field(
        1.0, description="Draw among the fewest most likely tokens that have this probability together."
    )
    beam: Positive = Field(5, description="Hypotheses that beam search keeps of a record.")
    n_best: Positive = Field(
        1,
        description="Outputs written of a record, in `n_best` where more than one. Beam search: the best texts with "
        "their scores, each text once, so there may be fewer. Sampling: independent draws with seeds of their own; the "
        "first is `output`, and two can be the same.",
    )
    length_penalty: Annotated[float, Field(ge=0.0)] = Field(
        0.6, description="Exponent that the length of a hypothesis weighs with (Wu et al. 2016); beam search."
    )
    coverage_penalty: Annotated[float, Field(ge=0.0)] = Field(
        0.0, description="Weight of source tokens that were not attended to (Wu et al. 2016); beam search, pairs."
    )
    max_tokens: Positive = Field(64, description="Tokens decoded at most.")
    min_tokens: Annotated[int, Field(ge=0)] = Field(0, description="Tokens decoded at least.")
    no_repeat_ngram: Annotated[int, Field(ge=0)] = Field(
        0,
        description="No n-gram of that many tokens occurs in an output twice, but for those of `forced`; 0: any may.",
    )
    forbidden: tuple[str, ...] = Field(
        (),
        description="Words and phrases that occur in no output, however they are spelled in tokens; case counts. `a "
        "word` is the words with any white space between, not a part of longer ones (`a wordy`): a word ends where no "
        "letter, digit, mark or underscore follows. In scripts without spaces (Chinese, Japanese, Thai, Lao, Khmer, "
        "Burmese, Tibetan), and at a sign (`C++`), within other text too. Before `min_tokens`, where both cannot be.",
    )
    forced: tuple[str, ...] = Field(
        (),
        description="Words and phrases that occur in every output, not as part of longer words; beam search. What "
        "takes more than `max_tokens`, or is forbidden, is refused.",
    )
    replace_unknown: bool = Field(
        False,
        description="Write the source text attended to where the unknown token is decoded (pairs; Luong et al. 2015); "
        "for given vocabularies without byte fallback, others have no unknown text.",
    )
    scores: bool = Field(
        False,
        description="Write the logarithm of the probability of an output, and of each of its tokens, as "
        "`log_probability` and `token_scores`; tasks that write token by token.",
        exclude_if=operator.not_,  # the fingerprints of what was made without stay what they were
    )
    backend: BackendName = Field(
        "onnx", description="What computes the batch job: onnxruntime on processors, TensorFlow on GPUs too."
    )
    precision: Literal["float32", "int8", "bfloat16"] = Field(
        "float32", description="Matrix products of the batch job; int8 only with `onnx`, bfloat16 with `tensorflow`."
    )
    slots: Positive = Field(64, description="Rows that the batch job decodes together; a beam takes several.")
    batch: Positive = Field(64, description="Rows that the SavedModel decodes together; a batch is padded to it.")

    @model_validator(mode="after")
    def _fits_together(self, info: ValidationInfo) -> Self:
        """Refuses what would have no effect, or cannot be."""
        known = info.context != FROM_DATA or not names_code(self.backend)
        refuse([*(self._precision_clashes() if known else ()), *self._clashes()])
        return self

    def _precision_clashes(self) -> Iterator[str]:
        computes = _BACKENDS.thing(self.backend).precisions
        if self.precision not in computes:
            what = f"backend {self.backend} computes in {' or '.join(computes)}, not in {self.precision}"
            yield f"{what}. Change precision or backend"

    def _clashes(self) -> Iterator[str]:
        for field, methods in (
            ("forced", ["beam"]),
            ("n_best", ["beam", "sample"]),
            ("coverage_penalty", ["beam"]),
            ("top_k", ["sample"]),
            ("top_p", ["sample"]),
        ):
            if self.method not in methods and getattr(self, field) != type(self).model_fields[field].default:
                what = f"`{field}` needs method {' or '.join(methods)}, and it is {self.method}"
                yield f"{what}. Set method to {methods[0]}, or leave {field} out"
        if self.method == "beam" and self.n_best > self.beam:
            yield f"n_best is {self.n_best}, and the beam keeps {self.beam}. Set beam to {self.n_best} or more"
        if self.no_repeat_ngram > self.max_tokens:
            what = f"no_repeat_ngram is {self.no_repeat_ngram}, and max_tokens {self.max_tokens}: it has no effect"
            yield f"{what}. Set no_repeat_ngram to at most {self.max_tokens}"
        for field in ("forbidden", "forced"):
            if not all(phrase.strip() for phrase in getattr(self, field)):
                yield f"`{field}` has an empty word in it. Leave it out"
        if self.min_tokens > self.max_tokens:
            what = f"min_tokens is {self.min_tokens}, and max_tokens {self.max_tokens}"
            yield f"{what}. Set min_tokens to at most {self.max_tokens}"
