"""The inputs and outputs of a search: requests and hypotheses."""

from __future__ import annotations

import dataclasses

from lstmlm.decoding.constraints.constraints import Constraints


@dataclasses.dataclass(frozen=True, slots=True)
class SearchRequest:
    """Something to decode.

    Attributes:
        ids: Token ids of a source closed by *end*, or of a prompt (see `Autoregressive.closes_source`).
        seed: Decides the draws of sampling, below 2**63.
        limit: Tokens decoded at most for this request, where that is less than `SearchOptions.max_tokens`.
        prefix: The tokens that its output begins with, at most as many as it may have. They count as decoded: in its
            score, and wherever tokens are counted.
        constraints: What its output must and must not contain; None: as `SearchOptions.constraints` says.
    """

    ids: list[int]
    seed: int = 0
    limit: int | None = None
    prefix: tuple[int, ...] = ()
    constraints: Constraints | None = None

    @property
    def has_rules(self) -> bool:
        """Whether the request has rules of its own; see `SearchOptions.by_record`."""
        return bool(self.prefix) or self.constraints is not None


@dataclasses.dataclass(frozen=True, slots=True)
class Hypothesis:
    """A decoded text.

    Attributes:
        tokens: The tokens, without *end*.
        score: What the hypotheses of a request are ranked by, higher is better; 0 outside of beam search.
        log_probability: Natural logarithm of the text's probability, *end* included if it was reached; 0 outside of
            beam search, which is all that needs it.
        alignment: For each token the source position that got the most attention as it was chosen (see
            `lstmlm.decoding.alignment`); empty where `SearchOptions.align` does not ask for it.
    """

    tokens: tuple[int, ...]
    score: float = 0.0
    log_probability: float = 0.0
    alignment: tuple[int, ...] = ()


@dataclasses.dataclass(frozen=True, slots=True)
class SearchOptions:
    """How to search.

    Attributes:
        method: `greedy`, `sample` or `beam`.
        max_tokens: Tokens decoded at most.
        temperature: Divides the logits before a draw.
        top_k: Draws are among that many most likely tokens; 0: among all.
        top_p: Draws are among the fewest most likely tokens whose probabilities add up to this, or more.
        beam: Hypotheses kept of a request.
        n_best: Hypotheses returned of a request, at most `beam`.
        length_penalty: The exponent alpha of Wu et al. (2016); 0: none.
        coverage_penalty: The factor beta of Wu et al. (2016); 0: none.
        constraints: What a text must and must not contain.
        by_record: Requests may have rules of their own. All scores of a step are then computed on the host, as with
            rules for all; so a request without any is decoded elsewhere, where its output is the same to the last bit
            whatever others ask for.
        align: Say of every token which source position it came from; for models with attention.
    """

    method: str = "greedy"
    max_tokens: int = 64
    temperature: float = 1.0
    top_k: int = 0
    top_p: float = 1.0
    beam: int = 5
    n_best: int = 1
    length_penalty: float = 0.0
    coverage_penalty: float = 0.0
    constraints: Constraints = dataclasses.field(default_factory=Constraints)
    by_record: bool = False
    align: bool = False

    @property
    def constrained(self) -> bool:
        """Whether a step may have to follow rules."""
        return bool(self.constraints) or self.by_record

    def rules_of(self, request: SearchRequest) -> Constraints:
        """Returns what the output of a request must and must not contain."""
        if request.has_rules and not self.by_record:
            raise ValueError("a request has rules of its own, and the search is for requests without")
        return self.constraints if request.constraints is None else request.constraints

    @property
    def width(self) -> int:
        """Rows that a request takes."""
        return self.beam if self.method == "beam" else 1
