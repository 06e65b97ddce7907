"""The filters of other packages that a recipe lists in `corpus.filters`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from lstmlm import plugins
from lstmlm.corpus.steps.step import Filter
from lstmlm.errors import UserError

if TYPE_CHECKING:
    from lstmlm.recipe.sections.corpus import CorpusSection

GROUP = "lstmlm.filters"


def make_filter(name: str, options: Mapping[str, Any]) -> Filter:
    """Returns a filter, made with its options.

    Args:
        name: An entry point of the group `lstmlm.filters`, or `package.module:Class`.
        options: What the recipe sets; checked by the `Options` of the filter.

    Raises:
        UserError: There is no such filter, or its options are wrong: all are named.
    """
    kind = plugins.find(GROUP, name, None)
    if not (isinstance(kind, type) and issubclass(kind, Filter)):
        hint = "Name a subclass of `lstmlm.corpus.steps.step.Filter`"
        raise UserError(f"{name!r} is not a filter but {type(kind).__name__}", where="filters", hint=hint)
    if kind.Options is None:
        if options:
            raise UserError(f"the filter {name!r} takes no options", where="filters", hint="Leave `options` out")
        return kind()
    try:
        return kind(kind.Options.model_validate(dict(options)))  # type: ignore[call-arg]
    except ValidationError as error:
        raise UserError(
            _option_fault(name, error), where="filters", hint="See the filter's own documentation"
        ) from error


_FAULTS = {"missing": "is required, and not given", "extra_forbidden": "does not exist"}
"""Kinds of pydantic's errors -> what is wrong with an option."""


def _option_fault(name: str, error: ValidationError) -> str:
    """Returns what is wrong with the options of a filter, each option once."""
    wrong: dict[str, str] = {}
    for fault in error.errors(include_url=False):
        option, value = ".".join(map(str, fault["loc"])), fault["input"]
        wrong.setdefault(option, _FAULTS.get(fault["type"], f"cannot be {value!r}"))
    return f"options of the filter {name!r}: " + ", ".join(f"`{option}` {what}" for option, what in wrong.items())


def filters(corpus: CorpusSection) -> list[Filter]:
    """Returns the filters that a recipe lists, in its order."""
    return [make_filter(each.name, each.options) for each in corpus.filters]
