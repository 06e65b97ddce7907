"""Reading inputs: what is a request, what a dead letter, what stops the job."""

import gzip
import re
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import pytest

from lstmlm.errors import UserError
from lstmlm.inference.input.counting import count
from lstmlm.inference.input.inputs import Files, ValidSplit, choose, named
from lstmlm.inference.input.requests import Dead, Request
from lstmlm.recipe.recipe import Recipe
from lstmlm.records.record import Record, stable_hash
from tests.corpus.memory_store import MemoryStore

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
    assert [(item.id, item.fields["source"], item.line) for item in requests] == [
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


ROWS = b'{"text": "a", "key": "k1"}\n{"text": "b", "key": "k2"}\n'


def _seen(items: Iterable[Request | Dead]) -> list[tuple[object, ...]]:
    requests = [item for item in items if isinstance(item, Request)]
    return [(item.index, item.id, item.fields["source"], item.seed, item.file, item.line) for item in requests]


@pytest.mark.parametrize("pattern", ["in/a.jsonl", "in", "in/*.jsonl", "*/[ab].jsonl*"])
def test_a_store_gives_what_files_here_give(
    pattern: str, tmp_path: Path, recipe: MakeRecipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "in").mkdir()
    contents = {"in/a.jsonl": ROWS, "in/b.jsonl.gz": gzip.compress(b'{"text": "c"}\n'), "in/c.jsonl": b'{"text": "d"}'}
    for name, content in contents.items():
        (tmp_path / name).write_bytes(content)
    monkeypatch.setattr(MemoryStore, "OBJECTS", {f"mem://bucket/x/{name}": one for name, one in contents.items()})
    here, there = named(tmp_path / pattern, recipe()), named(Path(f"mem://bucket/x/{pattern}"), recipe())
    assert _seen(there.items()) == _seen(here.items())
    assert there.where == f"mem://bucket/x/{pattern}"
    before = there.stamp()
    assert before == named(Path(f"mem://bucket/x/{pattern}"), recipe()).stamp()
    MemoryStore.OBJECTS["mem://bucket/x/in/a.jsonl"] = ROWS.replace(b'"a"', b'"z"')
    assert there.stamp() != before


def test_the_recipe_can_name_an_input_in_a_store(recipe: MakeRecipe, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(MemoryStore, "OBJECTS", {"mem://bucket/x/a.jsonl": ROWS})
    source = choose(recipe(root="mem://bucket/x", input="a.jsonl", id="key"), None, None)
    assert [item.id for item in source.items()] == ["k1", "k2"]


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("mem://bucket/none.jsonl", "mem://bucket/none.jsonl: no such file in the corpus"),
        ("mem://bucket/a.tfrecord", "mem://bucket/a.tfrecord: .tfrecord files are read on this machine only"),
        (
            "file:///data/a.jsonl",
            "--input: file:/data/a.jsonl is a URL, but a path is needed. Write it as /data/a.jsonl",
        ),
    ],
)
def test_what_a_store_cannot_give_is_a_line(
    path: str, message: str, recipe: MakeRecipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(MemoryStore, "OBJECTS", {"mem://bucket/a.tfrecord": b"x"})
    with pytest.raises(UserError, match=re.escape(message)):
        list(named(Path(path), recipe()).items())
