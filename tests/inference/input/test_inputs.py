"""Reading inputs: what is a request, what a dead letter, what stops the job."""

import gzip
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from lstmlm.errors import UserError
from lstmlm.inference.input.counting import count
from lstmlm.inference.input.inputs import Files, ValidSplit, choose, named
from lstmlm.inference.input.requests import Dead, Request
from lstmlm.recipe.recipe import Recipe
from lstmlm.records.record import Record, stable_hash

MakeRecipe = Callable[..., Recipe]
MakeRecords = Callable[[Sequence[Record]], Path]


def test_every_kind_of_line(tmp_path: Path, recipe: MakeRecipe) -> None:
    lines = [b'{"text": "good", "key": 7}', b"", b"{", b'["text"]', b'{"text": "\xff", "key": "u"}']
    lines += [b'{"key": "a"}', b'{"text": 3, "key": "b"}', b'{"text": " ", "key": "c"}', b'{"text": "no id"}']
    lines += [b'{"text": "\\ud800", "key": "d"}', b'{"text": "last", "key": "e"}']
    path = tmp_path / "in.jsonl"
    path.write_bytes(b"\n".join(lines))
    items = list(named(path, recipe(id="key")).items())
    assert [item.index for item in items] == list(range(10))  # the blank line is no input
    requests = [item for item in items if isinstance(item, Request)]
    assert [(item.id, item.text, item.line) for item in requests] == [
        (7, "good", 1), ("c", " ", 8), ("e", "last", 11)
    ]  # fmt: skip
    assert requests[0].seed == stable_hash(1, "7")
    dead = {item.line: item for item in items if isinstance(item, Dead)}
    assert set(dead) == {3, 4, 5, 6, 7, 9, 10}
    assert dead[6].letter() == {
        "file": "in.jsonl", "line": 6, "id": "a", "reason": "no field 'text' (there are 'key')"
    }  # fmt: skip
    assert "id" not in dead[9].letter()


def test_ids_are_places_without_an_id_key(tmp_path: Path, recipe: MakeRecipe) -> None:
    path = tmp_path / "in.jsonl.gz"
    path.write_bytes(gzip.compress(b'\xef\xbb\xbf{"text": "a"}\r\n\r\n{"text": "b"}\r\n'))
    assert [item.id for item in named(path, recipe()).items()] == ["in.jsonl.gz:1", "in.jsonl.gz:3"]


def test_an_id_that_is_there_twice_is_named_with_its_line(tmp_path: Path, recipe: MakeRecipe) -> None:
    path = tmp_path / "in.jsonl"
    path.write_text('{"text": "a", "id": "x1"}\n{"text": "b", "id": "x2"}\n{"text": "c", "id": "x1"}\n')
    with pytest.raises(UserError, match=r"in\.jsonl:3: duplicate id 'x1'"):
        count(named(path, recipe(id="id")))


def test_an_input_without_lines_is_refused(tmp_path: Path, recipe: MakeRecipe) -> None:
    path = tmp_path / "in.jsonl"
    path.write_text("\n\n")
    with pytest.raises(UserError, match="no records to decode"):
        count(named(path, recipe()))


def test_valid_split_in_order_with_a_limit(records_folder: MakeRecords, recipe: MakeRecipe) -> None:
    folder = records_folder([Record(f"r{i}", "same source") for i in range(5)])
    items = list(ValidSplit(folder, recipe(max_records=3)).items())
    assert [item.id for item in items] == ["r0", "r1", "r2"]
    assert count(ValidSplit(folder, recipe())).total == 5


def test_the_argument_comes_before_the_recipe_and_the_recipe_before_records(recipe: MakeRecipe) -> None:
    given = recipe(root="corpora", input="x.jsonl")
    assert choose(given, Path("records"), Path("y.jsonl")) == named(Path("y.jsonl"), given)
    assert choose(given, Path("records"), None) == Files(Path("corpora"), "x.jsonl", given)
    assert choose(recipe(), Path("records"), None) == ValidSplit(Path("records"), recipe())
    with pytest.raises(UserError, match="nothing to decode"):
        choose(recipe(), None, None)


def test_the_stamp_follows_the_content_and_not_the_place(tmp_path: Path, recipe: MakeRecipe) -> None:
    paths = [tmp_path / folder / "in.jsonl" for folder in "ab"]
    for path in paths:
        path.parent.mkdir()
        path.write_text('{"text": "a"}\n')
    one, two = (named(path, recipe()) for path in paths)
    before = one.stamp()
    assert before == two.stamp()
    assert before != named(paths[0], recipe(field="other")).stamp()
    paths[0].write_text('{"text": "b"}\n')
    assert before != one.stamp()
