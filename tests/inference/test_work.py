"""The work folder of an interrupted batch job is checked before it is used."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from lstmlm.errors import UserError
from lstmlm.inference.input.requests import Dead
from lstmlm.inference.job import Place
from lstmlm.inference.output.done import finish_chunk, is_whole
from lstmlm.inference.work import held, is_planned, opened, plan

FACTS = {"outputs": 3, "tokens": 9, "cut": 0, "letters": [], "seconds": 0.5, "meter": [1, 2]}


class Texts:
    """A source of dead letters: enough to be cut into chunks."""

    where = "texts"

    def items(self):
        return (Dead(number, "no text", "in.jsonl", number + 1) for number in range(600))


def job(folder: Path) -> Place:
    folder.mkdir()
    place = Place(folder, "jsonl")
    plan(place, Texts(), 600, 2, "stamp")
    return place


def finish(place: Place, number: int) -> None:
    place.part(number).write_text("outputs\n")
    finish_chunk(place.part(number), place.facts(number), FACTS)


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-3])


def flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


DAMAGES: dict[str, Callable[[Path], object]] = {
    "empty": lambda path: path.write_bytes(b""),
    "cut": cut,
    "flipped": flip,
    "garbage": lambda path: path.write_bytes(b"\xff\x00[1]"),
    "list": lambda path: path.write_bytes(b"[]"),
    "gone": lambda path: path.unlink(),
}


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("what", ["part", "facts"])
def test_a_chunk_that_is_damaged_is_done_again(tmp_path: Path, damage: str, what: str) -> None:
    place = job(tmp_path / "work")
    finish(place, 0)
    finish(place, 1)
    assert opened(place).done() == {0, 1}
    DAMAGES[damage](getattr(place, what)(1))
    assert opened(place).done() == {0}
    finish(place, 1)
    assert opened(place).done() == {0, 1}


@pytest.mark.parametrize("damage", DAMAGES)
def test_an_input_that_is_damaged_is_one_line_unless_its_chunk_is_done(tmp_path: Path, damage: str) -> None:
    place = job(tmp_path / "work")
    finish(place, 0)
    DAMAGES[damage](place.inputs / "000000.jsonl")
    opened(place)
    DAMAGES[damage](place.inputs / "000001.jsonl")
    with pytest.raises(UserError, match=r"000001.jsonl: the unfinished work here is damaged\. Remove the folder"):
        opened(place)


@pytest.mark.parametrize(
    "content",
    [
        "",
        "{",
        "[]",
        "{}",
        "null",
        '{"stamp": "s", "total": 1, "chunks": 3, "sha256": 4}',
        '{"stamp": "s", "total": 1, "chunks": [[0]], "sha256": ["a"]}',
        '{"stamp": "s", "total": 1, "chunks": [[0, -1]], "sha256": ["a"]}',
        '{"stamp": "s", "total": 1, "chunks": [[0, "x"]], "sha256": ["a"]}',
    ],
)
def test_a_damaged_plan_starts_the_job_anew(tmp_path: Path, content: str) -> None:
    output = tmp_path / "out"
    with held(output, "s", resume=False) as folder:
        (folder / "job.json").write_text(content)
        (folder / "chunks").mkdir()
        (folder / "chunks" / "old").write_text("x")
    assert not folder.exists()  # nothing to resume
    folder.mkdir()
    (folder / "job.json").write_text(content)
    with held(output, "s", resume=True) as folder:
        assert not is_planned(folder)
        assert [path.name for path in folder.iterdir()] == [".lock"]


def test_facts_without_outputs_need_no_part(tmp_path: Path) -> None:
    finish_chunk(tmp_path / "part", tmp_path / "facts", FACTS | {"outputs": 0})
    assert is_whole(tmp_path / "part", tmp_path / "facts")
    facts = json.loads((tmp_path / "facts").read_text())
    assert facts["part"] is None
