"""The batch job from end to end, with a model that fails on some records."""

import json
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from lstmlm.errors import UserError
from lstmlm.inference.run import infer
from lstmlm.progress import Silent
from lstmlm.recipe.recipe import Recipe
from lstmlm.records.record import Record, stable_hash

pytestmark = pytest.mark.slow

MakeRecipe = Callable[..., Recipe]
MakeRecords = Callable[[Sequence[Record]], Path]

RECORDS = 23
POISONED = (5, 18)
BROKEN = 11


class Notes(Silent):
    """Remembers what it received."""

    def __init__(self) -> None:
        self.done: list[float] = []

    def update(self, done: float, total: float | None = None, **said: object) -> None:
        self.done.append(done)


@pytest.fixture
def lines(tmp_path: Path) -> Path:
    """An input of 23 lines: two the model fails on, one that is no JSON."""
    texts = [f"text {i}" + (" POISON" if i in POISONED else "") for i in range(RECORDS)]
    texts[0] += "\u2028\x85 two"
    rows = [json.dumps({"text": text, "id": f"id-{i}"}) for i, text in enumerate(texts)]
    rows[BROKEN] = "{"
    path = tmp_path / "in.jsonl"
    path.write_text("\n".join(rows))
    return path


def outputs(folder: Path) -> list[dict[str, object]]:
    files = sorted(folder.glob("predictions-*.jsonl"))
    return [json.loads(line) for file in files for line in file.read_text(encoding="utf-8").splitlines()]


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_counts_order_and_dead_letters(shouter: Path, lines: Path, tmp_path: Path, recipe: MakeRecipe) -> None:
    notes = Notes()
    run = recipe(id="id", shards=3, max_dead_fraction=0.2)
    manifest = infer(run, shouter, tmp_path / "out", notes, input=lines)
    found = outputs(tmp_path / "out")
    good = [i for i in range(RECORDS) if i not in (*POISONED, BROKEN)]
    assert [line["id"] for line in found] == [f"id-{i}" for i in good]
    assert found[1] == {"id": "id-1", "source": "text 1", "output": f"TEXT 1|{stable_hash(1, 'id-1') % 10}"}
    assert str(found[0]["source"]).endswith("\u2028\x85 two")
    letters = [json.loads(line) for line in (tmp_path / "out" / "dead_letters.jsonl").read_text().splitlines()]
    assert [letter["line"] for letter in letters] == [6, 12, 19]  # in input order, whatever went wrong
    assert letters[0]["id"] == "id-5"
    assert "poison" in letters[0]["reason"]
    assert letters[1]["reason"] == "broken JSON"
    assert {name: manifest.facts[name] for name in ("records", "outputs", "dead_letters")} == {
        "records": RECORDS, "outputs": RECORDS - 3, "dead_letters": 3
    }  # fmt: skip
    assert manifest.facts["tokens"] == sum(len(str(line["source"]).encode()) for line in found)
    assert manifest.facts["cut_sources"] == 1  # the first, the only good one of more than 8 bytes
    assert notes.done == sorted(notes.done)
    assert notes.done[-1] == RECORDS


def test_a_shard_is_a_contiguous_range_of_the_input(
    shouter: Path, lines: Path, tmp_path: Path, recipe: MakeRecipe
) -> None:
    run = recipe(id="id", shards=30, max_dead_fraction=0.2)  # more shards than records: some are empty
    infer(run, shouter, tmp_path / "many", Silent(), input=lines)
    infer(recipe(id="id", shards=1, max_dead_fraction=0.2), shouter, tmp_path / "one", Silent(), input=lines)
    assert len(list((tmp_path / "many").glob("predictions-*-of-00030.jsonl"))) == 30
    assert outputs(tmp_path / "many") == outputs(tmp_path / "one")
    second = tmp_path / "many" / f"predictions-{2 * 30 // RECORDS:05d}-of-00030.jsonl"
    assert json.loads(second.read_text())["id"] == "id-2"


def test_the_same_bytes_in_another_place_and_nothing_the_second_time(
    shouter: Path, lines: Path, tmp_path: Path, recipe: MakeRecipe
) -> None:
    run = recipe(id="id", max_dead_fraction=0.2)
    infer(run, shouter, tmp_path / "one", Silent(), input=lines)
    (tmp_path / "one.d").mkdir()
    moved = Path(shutil.copy(lines, tmp_path / "one.d" / "in.jsonl"))
    infer(run, shouter, tmp_path / "two", Silent(), input=moved)
    assert contents(tmp_path / "one") == contents(tmp_path / "two")
    before = (tmp_path / "one" / "manifest.json").stat().st_mtime_ns
    notes = Notes()
    infer(run, shouter, tmp_path / "one", notes, input=lines)
    assert (tmp_path / "one" / "manifest.json").stat().st_mtime_ns == before
    assert notes.done == []
    with pytest.raises(UserError, match="not empty"):
        infer(recipe(id="id", seed=2), shouter, tmp_path / "one", Silent(), input=lines)


def test_valid_split(shouter: Path, tmp_path: Path, recipe: MakeRecipe, records_folder: MakeRecords) -> None:
    folder = records_folder([Record(f"r{i}", "POISON" if i == 3 else "same") for i in range(6)])
    manifest = infer(recipe(max_dead_fraction=0.5), shouter, tmp_path / "out", Silent(), records=folder)
    assert [line["id"] for line in outputs(tmp_path / "out")] == ["r0", "r1", "r2", "r4", "r5"]
    letter = json.loads((tmp_path / "out" / "dead_letters.jsonl").read_text())
    assert (letter["file"], letter["id"]) == ("Split-valid", "r3")
    assert manifest.facts["dead_letters"] == 1


def test_too_many_dead_letters_fail_and_what_is_decoded_is_kept(
    shouter: Path, lines: Path, tmp_path: Path, recipe: MakeRecipe
) -> None:
    with pytest.raises(UserError, match=r"3 of 23 records failed, the first at in\.jsonl:6: .*poison") as caught:
        infer(recipe(id="id", max_dead_fraction=0.1), shouter, tmp_path / "out", Silent(), input=lines)
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "out").exists()
    run, metrics = recipe(id="id", max_dead_fraction=0.2), tmp_path / "metrics.json"
    infer(run, shouter, tmp_path / "out", Silent(), input=lines, resume=True, metrics=metrics)
    assert json.loads(metrics.read_text())["records"] == 0  # nothing was decoded again
    infer(run, shouter, tmp_path / "other", Silent(), input=lines)
    assert contents(tmp_path / "out") == contents(tmp_path / "other")
    assert not (tmp_path / ".out.work").exists()


def test_an_input_that_is_mostly_damaged_fails_before_anything_is_decoded(
    shouter: Path, tmp_path: Path, recipe: MakeRecipe
) -> None:
    path = tmp_path / "in.jsonl"
    path.write_text('{"text": "a"}\n{\n{\n')
    with pytest.raises(UserError, match=r"2 of 3 records failed, the first at in\.jsonl:2: broken JSON"):
        infer(recipe(max_dead_fraction=0.5), shouter, tmp_path / "out", Silent(), input=path)
    assert [path.name for path in tmp_path.iterdir()] == ["in.jsonl"]


def test_a_model_that_fails_on_all_gives_only_dead_letters(shouter: Path, tmp_path: Path, recipe: MakeRecipe) -> None:
    path = tmp_path / "in.jsonl"
    path.write_text('{"text": "POISON"}\n')
    manifest = infer(recipe(max_dead_fraction=1.0), shouter, tmp_path / "out", Silent(), input=path)
    assert manifest.facts == {"records": 1, "outputs": 0, "dead_letters": 1, "tokens": 0, "cut_sources": 0}
    assert outputs(tmp_path / "out") == []


def test_mistakes_are_one_line(shouter: Path, lines: Path, tmp_path: Path, recipe: MakeRecipe) -> None:
    full = tmp_path / "full"
    full.mkdir()
    (full / "mine.txt").write_text("keep")
    empty = tmp_path / "empty"
    empty.mkdir()
    cases = [
        (tmp_path, tmp_path / "out", lines, "not a finished result"),
        (shouter, tmp_path / "out", tmp_path / "nowhere.jsonl", "no such input file"),
        (shouter, tmp_path / "out", empty, "no corpus file in this folder"),
        (shouter, full, lines, "not empty"),
    ]
    for export, output, path, words in cases:
        with pytest.raises(UserError, match=words) as caught:
            infer(recipe(), export, output, Silent(), input=path)
        assert "\n" not in str(caught.value)
    assert (full / "mine.txt").read_text() == "keep"
