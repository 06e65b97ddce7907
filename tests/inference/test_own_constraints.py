"""Records that say how their output begins, and what it must and must not contain."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

import lstmlm
from lstmlm.errors import UserError
from lstmlm.inference.input.own_constraints import constraint_fields
from lstmlm.inference.run import infer
from lstmlm.progress import Silent
from lstmlm.recipe.recipe import Recipe
from lstmlm.recipe.sections.inference import InferenceSection
from lstmlm.task import BadRecord, load_task
from tests.tiny import TinyRun

pytestmark = pytest.mark.slow

COLUMNS = {"prefix": "begins", "forced": "has", "forbidden": "not"}
of_translate = pytest.mark.parametrize("exported", ["translate"], indirect=True)
of_generate = pytest.mark.parametrize("exported", ["generate"], indirect=True)

ROWS: list[dict[str, Any]] = [
    {"id": 0, "text": "the statement"},
    {"id": 1, "text": "the statement", "begins": "A NAME"},
    {"id": 2, "text": "a name of a class", "has": ["THE", "NAME OF"]},
    {"id": 3, "text": "a name of a class", "not": "IS", "has": None},
    {"id": 4, "text": "if it is executed", "begins": "THE", "has": "IF", "not": ["A", "OR"]},
    {"id": 5, "text": "a name", "begins": "", "has": [], "not": ""},
]


def written(phrase: str, text: str) -> bool:
    """Says whether a text has a phrase in it, not as a part of longer words."""
    return re.search(rf"(?<!\w){phrase}(?!\w)", text) is not None


def changed(recipe: Recipe, decoding: Mapping[str, Any] = {}, **inference: Any) -> Recipe:
    content = recipe.model_dump(mode="json", exclude_defaults=True)
    content["decoding"] = {"max_tokens": 12, "method": "beam", "beam": 4, "n_best": 2, **decoding}
    content["inference"] = {"id": "id", **inference}
    return Recipe.model_validate(content)


def decoded(recipe: Recipe, export: Path, rows: Sequence[Mapping[str, Any]], folder: Path) -> dict[int, dict[str, Any]]:
    folder.mkdir()
    (folder / "in.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows), encoding="utf-8")
    infer(recipe, export, folder / "out", Silent(), input=folder / "in.jsonl")
    files = [*sorted((folder / "out").glob("pred*.jsonl")), folder / "out" / "dead_letters.jsonl"]
    return {row["id"]: row for file in files for row in map(json.loads, file.read_text("utf-8").splitlines())}


@of_translate
def test_every_output_is_as_its_record_asks(exported: TinyRun, tmp_path: Path) -> None:
    found = decoded(changed(exported.recipe, **COLUMNS), exported.export, ROWS, tmp_path / "mixed")
    assert found[1]["output"].startswith("A NAME")
    assert found[4]["output"].startswith("THE")
    for number, phrases in ((2, ("THE", "NAME OF")), (4, ("IF",))):
        for one in found[number]["n_best"]:
            assert all(written(phrase, one["output"]) for phrase in phrases), one
    assert found[2]["has"] == ["THE", "NAME OF"]  # the columns are passed on, as others are

    all_named = dict.fromkeys(COLUMNS.values())  # that no record has a column is a mistake
    by_itself = [
        decoded(changed(exported.recipe, **COLUMNS), exported.export, [all_named | row], tmp_path / str(n))[n]
        for n, row in enumerate(ROWS)
    ]
    keep = ("source", "output", "n_best")
    assert [{name: found[n][name] for name in keep} for n in range(6)] == [
        {name: one[name] for name in keep} for one in by_itself
    ]


@of_translate
@pytest.mark.parametrize("number", [2, 3, 5])
def test_phrases_of_a_record_are_those_of_a_recipe_for_all(exported: TinyRun, tmp_path: Path, number: int) -> None:
    row = ROWS[number]
    own = decoded(changed(exported.recipe, **COLUMNS), exported.export, ROWS, tmp_path / "own")[number]
    asked = constraint_fields(row, InferenceSection.model_validate({"forced": "has", "forbidden": "not"}))
    plain = [{"id": one["id"], "text": one["text"]} for one in ROWS]
    for_all = decoded(changed(exported.recipe, asked), exported.export, plain, tmp_path / "all")[number]
    assert {name: own[name] for name in ("output", "n_best")} == {name: for_all[name] for name in ("output", "n_best")}


@of_translate
@pytest.mark.parametrize("method", ["greedy", "sample"])
def test_other_ways_to_decode_follow_prefixes_and_forbidden_words(
    exported: TinyRun, tmp_path: Path, method: str
) -> None:
    ways = {"method": method, "n_best": 3 if method == "sample" else 1}
    recipe = changed(exported.recipe, ways, prefix="begins", forbidden="not")
    rows = [{name: value for name, value in row.items() if name != "has"} for row in ROWS]
    found = decoded(recipe, exported.export, rows, tmp_path / "mixed")
    texts = [[row["output"], *(one["output"] for one in row.get("n_best", ()))] for _, row in sorted(found.items())]
    assert all(text.startswith("A NAME") for text in texts[1])
    assert all(not {"A", "OR"} & set(text.split()) for text in texts[4])
    model = lstmlm.load(exported.export, decoding={"max_tokens": 12, **ways}, threads=1)
    inputs = [lstmlm.Constrained(row["text"], row.get("begins", ""), (), tuple(row.get("not") or ())) for row in rows]
    if method == "greedy":  # seeds of a list are those of places, and of the job those of ids
        assert [one.text for one in model.translate(inputs)] == [found[n]["output"] for n in range(6)]


@of_translate
def test_what_cannot_be_is_a_dead_letter_with_its_reason(exported: TinyRun, tmp_path: Path) -> None:
    rows = [
        {"id": 0, "text": "the statement", "begins": 7},
        {"id": 1, "text": "the statement", "begins": "漢字" * 9},
        {"id": 2, "text": "the statement", "has": {"a": 1}},
        {"id": 3, "text": "the statement", "has": ["THE", ""]},
        {"id": 4, "text": "the statement", "has": "THE OR", "not": "OR"},
        {"id": 5, "text": "the statement", "begins": "THE OR", "not": "OR"},
        {"id": 6, "text": "the statement", "has": "THE STATEMENT " * 9},
        {"id": 7, "text": "the statement"},
    ]
    recipe = changed(exported.recipe, max_dead_fraction=0.9, **COLUMNS)
    found = decoded(recipe, exported.export, rows, tmp_path / "job")
    reasons = [
        "field 'begins' is not text",
        "its prefix takes .* tokens, longer than decoding.max_tokens",
        "field 'has' is neither text nor a list of texts",
        "field 'has' has an empty phrase in it",
        "its forced and forbidden phrases: 'THE OR' has a word of decoding.forbidden in it",
        "its prefix 'THE OR' has a forbidden word in it",
        "its forced and forbidden phrases: the phrases take .* tokens, longer than decoding.max_tokens",
    ]
    for number, reason in enumerate(reasons):
        assert re.search(reason, found[number]["reason"]), found[number]
    assert isinstance(found[7]["output"], str)


@of_translate
def test_phrases_of_a_table_are_separated_as_the_recipe_says(exported: TinyRun, tmp_path: Path) -> None:
    table = tmp_path / "in.tsv"
    table.write_text("id\ttext\tterms\n1\ta name\tTHE; NAME OF\n2\ta name\t\n", encoding="utf-8")
    recipe = changed(exported.recipe, forced="terms", separator=";")
    infer(recipe, exported.export, tmp_path / "out", Silent(), input=table)
    rows = [json.loads(line) for file in sorted((tmp_path / "out").glob("pred*")) for line in file.open("rb")]
    assert all(written(phrase, rows[0]["output"]) for phrase in ("THE", "NAME OF"))
    assert [row["terms"] for row in rows] == ["THE; NAME OF", ""]


@of_translate
def test_a_mistake_in_the_recipe_is_one_line(exported: TinyRun, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"no record has a field 'hsa', which inference\.forced names"):
        decoded(changed(exported.recipe, forced="hsa"), exported.export, ROWS, tmp_path / "typo")
    with pytest.raises(UserError, match="the valid split, whose records have no such column"):
        infer(changed(exported.recipe, **COLUMNS), exported.export, tmp_path, Silent(), records=exported.records)
    with pytest.raises(ValueError, match="`separator` has no effect"):
        changed(exported.recipe, separator=";")
    greedy = changed(exported.recipe, {"method": "greedy", "n_best": 1}, **COLUMNS)
    with pytest.raises(UserError, match=r"forced phrases need decoding\.method beam"):
        load_task("translate").check_recipe(greedy)


@of_translate
def test_inputs_in_python_are_constrained_one_by_one(exported: TinyRun) -> None:
    model = lstmlm.load(exported.export, decoding={"method": "beam", "beam": 4, "max_tokens": 12})
    inputs = [
        "a name",
        lstmlm.Constrained("a name", prefix="THE"),
        lstmlm.Constrained("a name", forced=("OR", "IF")),
        lstmlm.Constrained("a name", forced=("OR",), forbidden=("OR",)),
    ]
    plain, begun, forced, failed = model.translate(inputs, errors="return")
    assert plain == model.translate(["a name"])[0]
    assert (begun.source, begun.text[:3]) == ("a name", "THE")
    assert {"OR", "IF"} <= set(forced.text.split())
    assert isinstance(failed, lstmlm.Failed)
    assert "has a word of decoding.forbidden in it" in failed.reason


@of_generate
def test_a_language_model_is_held_to_forbidden_words_but_to_no_prefix(exported: TinyRun) -> None:
    model = lstmlm.load(exported.export)
    (plain,) = model.generate(["The statement"])
    word = next(word for word in plain.text.split() if word.isalpha())
    (found,) = model.generate([lstmlm.Constrained("The statement", forbidden=(word,))])
    assert word not in found.text.split()
    (failed,) = model.generate([lstmlm.Constrained("The statement", prefix="is")], errors="return")
    assert isinstance(failed, lstmlm.Failed)
    assert "put it at the end of the prompt" in failed.reason


@pytest.mark.parametrize("value", [1, ["a"], {"a": 1}])
def test_a_prefix_is_text(value: object) -> None:
    with pytest.raises(BadRecord, match="not text"):
        constraint_fields({"p": value}, InferenceSection(prefix="p"))
