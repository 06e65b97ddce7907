"""Checks which models the decoding engine supports; the others are decoded by their SavedModel."""

from __future__ import annotations

from lstmlm.errors import UserError
from lstmlm.recipe.recipe import Recipe
from lstmlm.recipe.sections.decoding import DecodingSection
from lstmlm.recipe.sections.model import ModelSection
from lstmlm.task import load_task

_SERVED = {"method", "temperature", "max_tokens", "batch", "backend", "precision", "slots"}
"""Fields of `decoding` that a SavedModel follows, or that only say how the engine computes."""


def option_beyond_engine(sizes: ModelSection) -> str:
    """Returns the first option of a model that the engine does not compute, as `field: value`; empty: it computes all.

    The engine's step reads a token, the states and the attended source. A model that reads the last attentional vector
    too, or attends in another way, is beyond it.
    """
    plain = ModelSection(attention="luong", residual=False, input_feeding=False)
    for field in ("input_feeding", "attention", "residual"):
        value = getattr(sizes, field)
        if value != getattr(plain, field):
            return f"{field}: {str(value).lower()}"
    return ""


def check_decoding(recipe: Recipe) -> None:
    """Refuses, before any work, a `decoding` section that the recipe's own model cannot be decoded by.

    Raises:
        UserError: See `check_served_only`, `check_attends` and `check_own_constraints`.
    """
    check_served_only(recipe.model, recipe.decoding)
    check_attends(load_task(recipe.task).has_targets, recipe.decoding)
    check_own_constraints(recipe)


def check_own_constraints(recipe: Recipe) -> None:
    """Refuses columns of constraints of single records that the recipe's model cannot be held to.

    Raises:
        UserError: It names the field.
    """
    columns, method = recipe.inference.constraint_columns, recipe.decoding.method
    if columns and (beyond := option_beyond_engine(recipe.model)):
        what = f"models with {beyond} follow no constraints of single records"
        raise UserError(what, where=f"inference.{next(iter(columns))}", hint="Leave it out")
    if "forced" in columns and method != "beam":
        what = f"forced phrases need decoding.method beam, and it is {method}"
        raise UserError(what, where="inference.forced", hint="Set decoding.method to beam, or leave it out")


def check_served_only(sizes: ModelSection, decoding: DecodingSection) -> None:
    """Refuses to decode a model beyond the engine in a way that only the engine offers.

    Raises:
        UserError: It names the option of the model and that of decoding.
    """
    beyond = option_beyond_engine(sizes)
    if not beyond:
        return
    asked = [name for name in type(decoding).model_fields if name not in _SERVED and _set(decoding, name)]
    if decoding.method == "beam" or asked:
        name = "method" if decoding.method == "beam" else asked[0]
        what = f"models with {beyond} are decoded only greedily or by plain sampling"
        raise UserError(what, where=f"decoding.{name}", hint="Leave it out, or train without that option")


def check_attends(pairs: bool, decoding: DecodingSection) -> None:
    """Refuses what goes by attention (replacing unknown tokens, coverage) where a model attends to nothing.

    Raises:
        UserError: It is asked for, and the task is not one of pairs.
    """
    if pairs:
        return
    if decoding.replace_unknown:
        what = "a language model has no source to take words from"
        raise UserError(what, where="decoding.replace_unknown", hint="Leave it out, or take a task of pairs")
    if decoding.coverage_penalty:
        what = "a language model has no source to compute coverage over"
        raise UserError(what, where="decoding.coverage_penalty", hint="Leave it out, or take a task of pairs")


def _set(decoding: DecodingSection, name: str) -> bool:
    return bool(getattr(decoding, name) != type(decoding).model_fields[name].default)
