"""Every row is accounted for, and what a user reads about it can be followed."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from lstmlm.corpus.ingest import clean, ingest
from lstmlm.corpus.passes.ids import longest_mark
from lstmlm.corpus.reading.nested import value_of
from lstmlm.errors import UserError
from lstmlm.formats.arrow import pa, pq
from lstmlm.progress import Silent
from lstmlm.publish.folder import Manifest
from lstmlm.recipe.recipe import Recipe
from lstmlm.records.shards import records_in

pytestmark = pytest.mark.slow


def recipe(root: Path, task: str = "generate", **corpus: Any) -> Recipe:
    return Recipe.model_validate({"name": "test", "task": task, "corpus": {"root": root, **corpus}})


def cleaned(root: Path, task: str = "generate", **corpus: Any) -> Manifest:
    return clean(recipe(root, task, **corpus), root / ".out", Silent())


def lines(rows: list[dict[str, Any]]) -> str:
    return "".join(json.dumps(row) + "\n" for row in rows)


TEXTS = [f"a quiet river number {n}" for n in range(20)]
BLANKS: list[str | None] = ["", None, "  ", "\t"]


@pytest.mark.parametrize("kind", ["jsonl", "json", "csv", "tsv", "parquet"])
def test_blank_texts_are_dropped_and_no_dead_letters(tmp_path: Path, kind: str) -> None:
    texts = [text for pair in zip(TEXTS, BLANKS * 5, strict=True) for text in pair]
    path = tmp_path / f"a.{kind}"
    if kind == "parquet":
        pq.write_table(pa.table({"id": list(range(40)), "text": pa.array(texts, pa.string())}), path)
    elif kind == "json":
        path.write_text(json.dumps([{"text": text} for text in texts]))
    elif kind == "jsonl":
        path.write_text(lines([{"text": text} for text in texts]) + '{"text": NaN}\n')
    else:
        sign = {"csv": ",", "tsv": "\t"}[kind]
        rows = [(text or "").replace("\t", " ") for text in texts]
        path.write_text(f"id{sign}text\n" + "".join(f"{n}{sign}{text}\n" for n, text in enumerate(rows)))
    counts = cleaned(tmp_path, train=path.name).facts["counts"]
    assert counts["kept"] == 20
    assert counts["dropped"] == {"blank": 21 if kind == "jsonl" else 20}
    assert counts["dead"] == 0


def test_pairs_with_a_blank_side_are_dropped_and_missing_keys_are_dead(tmp_path: Path) -> None:
    rows: list[dict[str, Any]] = [{"en": text, "fr": text} for text in TEXTS]
    rows += [{"en": "a", "fr": None}, {"en": "a", "fr": []}, {"en": "a", "fr": [" "]}, {"en": None, "fr": "b"}]
    rows += [{"en": "a"}, {"en": "a", "fr": 5}]
    (tmp_path / "a.jsonl").write_text(lines(rows))
    facts = cleaned(tmp_path, "translate", train="a.jsonl", source="en", target="fr", max_dead_fraction=0.1).facts
    assert facts["counts"]["dropped"] == {"blank": 4}
    assert facts["counts"]["dead_by_reason"] == {"column 'fr' is not text": 1, "no column 'fr'": 1}


def test_a_corpus_of_blank_texts_says_so(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text(lines([{"text": None}] * 3))
    with pytest.raises(UserError, match=r"the corpus is empty.*3 rows have no text.*corpus\.source"):
        cleaned(tmp_path, train="a.jsonl")


@pytest.mark.parametrize("kind", ["jsonl", "txt", "csv", "parquet"])
def test_the_advice_for_long_texts_works(tmp_path: Path, kind: str) -> None:
    texts = ["river " * 60, "bridge\nof stone " * 90 if kind == "csv" else "bridge " * 90]
    path = tmp_path / f"a.{kind}"
    if kind == "parquet":
        pq.write_table(pa.table({"text": texts}), path)
    elif kind == "csv":
        path.write_text("text\n" + "".join(f'"{text}"\n' for text in texts))
    else:
        path.write_text("\n".join(texts) if kind == "txt" else lines([{"text": text} for text in texts]))
    with pytest.raises(UserError, match=r"longer than 100 bytes") as caught:
        cleaned(tmp_path, train=path.name, max_line_bytes=100)
    (least,) = re.findall(r"Set corpus\.max_line_bytes to (\d+) or more", str(caught.value))
    assert cleaned(tmp_path, train=path.name, max_line_bytes=int(least)).facts["counts"]["kept"] == 2


def test_few_long_texts_are_reported(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("\n".join([*TEXTS * 10, "x" * 200]))
    warnings = cleaned(tmp_path, train="a.txt", max_line_bytes=100).facts["warnings"]
    assert any("1 of 201 rows are longer than 100 bytes (corpus.max_line_bytes)" in warning for warning in warnings)


def test_the_advice_for_dead_letters_works(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text(lines([{"text": text} for text in TEXTS]) + "[]\n" * 3)
    with pytest.raises(UserError) as caught:
        cleaned(tmp_path, train="a.jsonl")
    (share,) = re.findall(r"set corpus\.max_dead_fraction to (\S+)", str(caught.value))
    assert cleaned(tmp_path, train="a.jsonl", max_dead_fraction=float(share)).facts["counts"]["dead"] == 3


def test_lines_of_text_for_pairs_are_explained(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("\n".join(TEXTS))
    with pytest.raises(UserError, match=r"\.txt file has lines and no columns") as caught:
        cleaned(tmp_path, "translate", train="a.txt", source="en", target="fr")
    assert "max_dead_fraction above" not in str(caught.value)


@pytest.mark.parametrize("kind", ["jsonl", "json", "parquet"])
def test_keys_inside_keys(tmp_path: Path, kind: str) -> None:
    rows = [{"translation": {"en": text, "fr": f"fr {text}"}} for text in TEXTS]
    if kind == "parquet":
        pq.write_table(pa.Table.from_pylist(rows), tmp_path / "a.parquet")
    else:
        (tmp_path / f"a.{kind}").write_text(json.dumps(rows) if kind == "json" else lines(rows))
    run = recipe(
        tmp_path, "translate", train=f"a.{kind}", source="translation.en", target="translation.fr", valid_fraction=0.5
    )
    ingest(run, tmp_path / "out", Silent())
    found = [*records_in(tmp_path / "out", "train"), *records_in(tmp_path / "out", "valid")]
    assert {(record.source, record.targets) for record in found} == {(text, (f"fr {text}",)) for text in TEXTS}


def test_a_key_with_dots_comes_before_keys_inside_keys() -> None:
    assert value_of({"a.b": 1, "a": {"b": 2}}, "a.b") == 1
    assert value_of({"a": {"b": {"c": 2}}}, "a.b.c") == 2
    assert value_of({"a": [1]}, "a.b") is None


def test_an_emptied_valid_split_says_which_rules_emptied_it(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("\n".join(TEXTS))
    (tmp_path / "v.txt").write_text("\n".join([*TEXTS[:3], ""]))
    run = recipe(tmp_path, train="a.txt", valid="v.txt", duplicates={"exact": True})
    with pytest.raises(UserError, match=r"the valid split is empty: .*duplicate_exact 3") as caught:
        ingest(run, tmp_path / "out", Silent())
    assert caught.value.where == str(tmp_path / "v.txt")


def test_a_valid_file_without_texts_says_so(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text(lines([{"text": text} for text in TEXTS]))
    (tmp_path / "v.jsonl").write_text(lines([{"text": ""}] * 2))
    with pytest.raises(UserError, match=r"the valid split is empty: .*\(blank 2\)"):
        ingest(recipe(tmp_path, train="a.jsonl", valid="v.jsonl"), tmp_path / "out", Silent())


def test_ids_of_further_uses_equal_no_other_id(tmp_path: Path) -> None:
    ids = ["a", "a#2", "a##2", "b#", "b", "c#2x"]
    (tmp_path / "a.jsonl").write_text(lines([{"id": name, "text": f"text of {name}"} for name in ids]))
    run = recipe(tmp_path, train="a.jsonl", id="id", mixture=[{"files": "a.jsonl", "weight": 2.0}], valid_fraction=0.0)
    clean(run, tmp_path / ".out", Silent())
    again = recipe(tmp_path / ".out", train="documents-*", id="id", valid_fraction=0.0)
    assert clean(again, tmp_path / ".again", Silent()).facts["counts"]["kept"] == 2 * len(ids)


@pytest.mark.parametrize(
    ("ids", "length"), [(["a", "file:3"], 0), (["a#2"], 1), (["a###17", "b#1"], 3), (["a#b", "#"], 0), ([], 0)]
)
def test_the_longest_mark_of_ids(ids: list[str], length: int) -> None:
    assert longest_mark(ids) == length


def test_elements_of_an_array_on_one_line_are_records_of_their_own(tmp_path: Path) -> None:
    texts = [f"text number {n}" for n in range(2500)]
    (tmp_path / "a.json").write_text(json.dumps([{"text": text} for text in texts]))
    ingest(recipe(tmp_path, train="a.json", valid_fraction=0.1), tmp_path / "out", Silent())
    found = [*records_in(tmp_path / "out", "train"), *records_in(tmp_path / "out", "valid")]
    assert {record.id: record.source for record in found} == {f"a.json:{n + 1}": text for n, text in enumerate(texts)}
    assert len(found) == 2500
