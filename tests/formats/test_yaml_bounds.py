"""Recipes that would take memory or time without end, or run code."""

from __future__ import annotations

from pathlib import Path

import pytest

from lstmlm.errors import UserError
from lstmlm.recipe.file import load_recipe, parse_recipe

GOOD = "name: a\ntask: generate\ncorpus: {train: a.txt}\n"
LAUGHS = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{name}: &{name} [{', '.join([f'*{before}'] * 9)}]\n" for before, name in zip("abcdefgh", "bcdefghi", strict=True)
)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (LAUGHS, "more than 50000 values, aliases counted"),
        ("a: &a [*a]\n", "the alias 'a' occurs inside its own anchor"),
        ("a: &a {b: {c: *a}}\n", "the alias 'a' occurs inside its own anchor"),
        ("a: " + "[" * 100_000, "more than 40 levels"),
        ("".join(f"{' ' * n}a:\n" for n in range(200)), "more than 40 levels"),
        ("a: [" + "x," * 60_000 + "]", "more than 50000 values"),
        ("x" * 300_000, "more than 256000 characters"),
        ("a: 2020-99-99\n", "a: no such field"),
        (f"a: {'1' * 5000}\n", "a: no such field"),
        ("a: !!python/object/apply:os.system ['touch marker']\n", "not valid YAML"),
        ("a: !!python/name:os.system\n", "not valid YAML"),
        ("a: \0\n", "not valid YAML"),
    ],
)
def test_a_hostile_recipe_costs_one_line(text: str, words: str, tmp_path: Path) -> None:
    path = tmp_path / "recipe.yaml"
    path.write_text(GOOD + text)
    with pytest.raises(UserError, match=words) as caught:
        load_recipe(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("value", ["[" * 50_000, "&a [*a]", "!!python/name:os.system"])
def test_a_hostile_override_costs_one_line(value: str) -> None:
    with pytest.raises(UserError, match="the value is not valid YAML") as caught:
        parse_recipe(GOOD, "recipe.yaml", [f"training.steps={value}"])
    assert "\n" not in str(caught.value)


def test_a_device_is_not_read_to_its_end() -> None:
    with pytest.raises(UserError):
        load_recipe(Path("/dev/zero"))


def test_aliases_are_values() -> None:
    text = GOOD + "tokenizer: {symbols: &s [a, b]}\ninference: {}\ndecoding: {forbidden: *s}\n"
    assert parse_recipe(text, "recipe.yaml").decoding.forbidden == ("a", "b")
