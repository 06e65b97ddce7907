"""What an export or a recipe asks of the engine: how to decode, and with which seeds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lstmlm.decoding.constraints.constraints import Constraints
from lstmlm.decoding.search.request import SearchOptions
from lstmlm.inference.model.backend_kind import refuse_code
from lstmlm.recipe.sections.decoding import DecodingSection
from lstmlm.recipe.sections.section import FROM_DATA
from lstmlm.records.record import stable_hash


def stored_decoding(facts: Mapping[str, Any]) -> DecodingSection:
    """Returns how the recipe of an export decodes.

    Raises:
        UserError: It names code, which only a recipe may.
    """
    found = DecodingSection.model_validate(facts["decoding"], context=FROM_DATA)
    refuse_code(found.backend)
    return found


def sample_seed(seed: int, number: int) -> int:
    """Returns the seed of the n-th sample of a record; that of the first is the record's own."""
    return stable_hash(seed, "sample", number) if number else seed


def search_options(decoding: DecodingSection, constraints: Constraints) -> SearchOptions:
    """Returns what the recipe's section asks of the engine, with the rules that `constraints_of` makes of it."""
    return SearchOptions(
        method=decoding.method,
        max_tokens=decoding.max_tokens,
        temperature=decoding.temperature,
        top_k=decoding.top_k,
        top_p=decoding.top_p,
        beam=decoding.beam,
        # All that were found: some of them may be the same text.
        n_best=decoding.beam if decoding.n_best > 1 else 1,
        length_penalty=decoding.length_penalty,
        coverage_penalty=decoding.coverage_penalty,
        constraints=constraints,
        align=decoding.replace_unknown,
    )
