"""The passes over a corpus together: copies, mixtures, shuffles, splits by key, exclusions, decontamination, clean."""

from __future__ import annotations

import gzip
import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lstmlm.corpus.ingest import clean, ingest
from lstmlm.corpus.sources.snapshot import corpus_fingerprint
from lstmlm.errors import UserError
from lstmlm.progress import Silent
from lstmlm.recipe.recipe import Recipe
from lstmlm.records.shards import records_in, shard_files

pytestmark = pytest.mark.slow


def recipe(root: Path, task: str = "generate", **corpus: Any) -> Recipe:
    content = {
        "name": "test",
        "task": task,
        "corpus": {"root": root, "train": "*.jsonl", "valid_fraction": 0.2, **corpus},
    }
    return Recipe.model_validate(content)


def write(path: Path, rows: list[dict[str, Any]]) -> None:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


def ids(folder: Path, split: str) -> list[str]:
    return [record.id for record in records_in(folder, split)]


def excluded(folder: Path) -> Iterator[tuple[str, str]]:
    with gzip.open(folder / "exclusions.jsonl.gz", "rt", encoding="utf-8") as stream:
        for line in stream:
            row = json.loads(line)
            yield row["id"], row["reason"]


@pytest.fixture
def texts() -> list[str]:
    draw = random.Random(7)
    words = [f"w{n}" for n in range(500)]
    return [" ".join(draw.choices(words, k=60)) for _ in range(300)]


def test_copies_are_dropped_once_each_with_a_reason_and_the_first_stays(tmp_path: Path, texts: list[str]) -> None:
    near = texts[5].replace(texts[5].split()[30], "other", 1)
    write(tmp_path / "a.jsonl", [{"id": f"a{n}", "text": text} for n, text in enumerate(texts)])
    write(tmp_path / "b.jsonl", [{"id": "same", "text": texts[3]}, {"id": "near", "text": near}])
    write(tmp_path / "valid.json.jsonl", [{"id": "held", "text": texts[9]}, {"id": "own", "text": "nothing like it"}])
    run = recipe(
        tmp_path, train="?.jsonl", valid="valid.json.jsonl", id="id", exclusions=True,
        duplicates={"exact": True, "near": 0.8},
    )  # fmt: skip
    counts = ingest(run, tmp_path / "out", Silent()).facts["counts"]
    assert ids(tmp_path / "out", "train") == [f"a{n}" for n in range(300)]
    assert ids(tmp_path / "out", "valid") == ["own"]  # what train has is not used for evaluation
    assert counts == {
        "in": 304, "kept": 301, "dead": 0, "dead_by_reason": {}, "dropped": {"duplicate_exact": 2, "duplicate_near": 1},
    }  # fmt: skip
    assert sorted(excluded(tmp_path / "out")) == [
        ("held", "duplicate_exact"), ("near", "duplicate_near"), ("same", "duplicate_exact"),
    ]  # fmt: skip


def test_rules_for_training_text_leave_a_given_valid_file_as_it_is(tmp_path: Path, texts: list[str]) -> None:
    french = "Le chat est sur la table et il regarde par la fenêtre."
    write(tmp_path / "a.jsonl", [{"text": f"the dog of {text} and more"} for text in texts])
    write(tmp_path / "v.jsonl", [{"text": "short"}, {"text": french}, {"text": "two  spaces"}])
    run = recipe(
        tmp_path, train="a.jsonl", valid="v.jsonl", quality=["gopher"], languages=["en"], normalise=True
    )  # fmt: skip
    facts = ingest(run, tmp_path / "out", Silent()).facts
    sources = [record.source for record in records_in(tmp_path / "out", "valid")]
    assert sources == ["short", french, "two spaces"]
    assert facts["splits"]["valid"]["dropped"] == {}


@pytest.mark.parametrize("shuffle", [False, True])
def test_drops_are_counted_by_split_and_a_thinned_valid_file_is_reported(
    tmp_path: Path, texts: list[str], shuffle: bool, caplog: pytest.LogCaptureFixture
) -> None:
    write(tmp_path / "a.jsonl", [{"text": text} for text in [*texts, texts[0], texts[1]]])
    write(tmp_path / "v.jsonl", [{"text": texts[5]}, {"text": "own"}, {"text": "own"}])
    run = recipe(tmp_path, train="a.jsonl", valid="v.jsonl", duplicates={"exact": True}, shuffle=shuffle)
    facts = ingest(run, tmp_path / "out", Silent()).facts
    assert facts["splits"]["train"]["dropped"] == {"duplicate_exact": 2}
    assert facts["splits"]["valid"]["dropped"] == {"duplicate_exact": 2}
    expected = "2 of 3 records of the valid split were dropped (duplicate_exact 2)"
    assert facts["warnings"] == [expected]
    assert expected in caplog.text


def test_drops_of_a_hash_split_are_counted_by_split(tmp_path: Path, texts: list[str]) -> None:
    french = [f"Le chat numéro {n} est sur la table et il regarde par la fenêtre ouverte." for n in range(100)]
    english = [f"Cat number {n} is on the table and looks out of the open window." for n in range(100)]
    write(tmp_path / "a.jsonl", [{"text": text} for text in [*french, *english]])
    facts = ingest(recipe(tmp_path, languages=["en"]), tmp_path / "out", Silent()).facts
    by_split = [facts["splits"][split]["dropped"]["language"] for split in ("train", "valid")]
    assert sum(by_split) == facts["counts"]["dropped"]["language"] == 100
    assert by_split[0] > by_split[1] > 0


def test_a_valid_split_that_copies_empty_fails_the_run(tmp_path: Path, texts: list[str]) -> None:
    write(tmp_path / "a.jsonl", [{"text": text} for text in texts])
    write(tmp_path / "v.jsonl", [{"text": text} for text in texts[:3]])
    run = recipe(tmp_path, train="a.jsonl", valid="v.jsonl", duplicates={"exact": True})
    with pytest.raises(UserError, match=r"v\.jsonl: the valid split is empty.*\(duplicate_exact 3\)"):
        ingest(run, tmp_path / "out", Silent())
    assert not (tmp_path / "out").exists()


def test_a_train_split_that_weights_empty_fails_the_run(tmp_path: Path, texts: list[str]) -> None:
    write(tmp_path / "a.jsonl", [{"text": text} for text in texts])
    run = recipe(tmp_path, mixture=[{"files": "a.jsonl", "weight": 0.0}])
    with pytest.raises(UserError, match=r"the train split is empty.*mixture_weight"):
        ingest(run, tmp_path / "out", Silent())


def test_rules_that_do_not_fit_the_corpus_are_reported(tmp_path: Path, texts: list[str]) -> None:
    write(tmp_path / "a.jsonl", [{"text": text} for text in texts[:20]] + [{"text": f"the end of {texts[40]} and"}] * 9)
    facts = clean(recipe(tmp_path, quality=["gopher"]), tmp_path / "out", Silent()).facts
    english, strict = facts["warnings"]
    assert "gopher` is for English" in english
    assert "gopher_few_stop_words dropped 20 of 29 rows" in strict


def test_a_shuffle_keeps_every_record_and_the_same_order_on_every_run(tmp_path: Path, texts: list[str]) -> None:
    write(tmp_path / "a.jsonl", [{"text": text} for text in texts])
    run = recipe(tmp_path, shuffle=True, shards=3)
    ingest(run, tmp_path / "one", Silent())
    ingest(run, tmp_path / "two", Silent())
    ingest(recipe(tmp_path, shards=3), tmp_path / "plain", Silent())
    shuffled, plain = ids(tmp_path / "one", "train"), ids(tmp_path / "plain", "train")
    assert shuffled == ids(tmp_path / "two", "train")
    assert shuffled != plain
    assert sorted(shuffled) == sorted(plain)
    assert len(shard_files(tmp_path / "one", "train")) == 3


def test_a_mixture_repeats_and_thins_only_train_files(tmp_path: Path, texts: list[str]) -> None:
    write(tmp_path / "a.jsonl", [{"id": f"a{n}", "text": text} for n, text in enumerate(texts)])
    write(tmp_path / "b.jsonl", [{"id": f"b{n}", "text": text[::-1]} for n, text in enumerate(texts)])
    write(tmp_path / "c.jsonl", [{"id": f"c{n}", "text": text.upper()} for n, text in enumerate(texts)])
    mixture = [{"files": "a.jsonl", "weight": 2.0}, {"files": "b.jsonl", "weight": 0.5}]
    run = recipe(tmp_path, id="id", valid_fraction=0.1, mixture=mixture)
    facts = ingest(run, tmp_path / "out", Silent()).facts
    train, valid = ids(tmp_path / "out", "train"), ids(tmp_path / "out", "valid")
    assert len(set(train)) == len(train)
    first = {name for name in train if name.startswith("a") and "#" not in name}
    assert {f"{name}#2" for name in first} == {name for name in train if "#" in name}
    assert 90 < sum(name.startswith("b") for name in train) < 180
    assert sum(name.startswith("c") for name in [*train, *valid]) == 300
    assert not any("#" in name for name in valid)
    dropped = facts["counts"]["dropped"]["mixture_weight"]
    assert facts["splits"]["train"]["records"] == len(train)
    assert facts["counts"]["kept"] == 900 - dropped


def test_a_weight_for_no_file_is_refused(tmp_path: Path) -> None:
    write(tmp_path / "a.jsonl", [{"text": "x"}])
    run = recipe(tmp_path, mixture=[{"files": "b.jsonl", "weight": 2.0}])
    with pytest.raises(UserError, match=r"corpus\.mixture\.0\.files.*no train file matches"):
        ingest(run, tmp_path / "out", Silent())


def test_records_that_share_a_key_never_cross_splits_and_stay_when_the_corpus_grows(tmp_path: Path) -> None:
    rows = [{"id": n, "text": f"text {n}", "author": f"author {n % 40}"} for n in range(400)]
    write(tmp_path / "a.jsonl", rows[:200])
    run = recipe(tmp_path, id="id", split_key="author")
    ingest(run, tmp_path / "small", Silent())
    write(tmp_path / "b.jsonl", rows[200:])
    ingest(run, tmp_path / "large", Silent())
    split = {split: {int(name) % 40 for name in ids(tmp_path / "large", split)} for split in ("train", "valid")}
    assert not split["train"] & split["valid"]
    assert set(ids(tmp_path / "small", "valid")) <= set(ids(tmp_path / "large", "valid"))


def test_evaluation_files_keep_records_out_and_are_part_of_what_is_cached(tmp_path: Path, texts: list[str]) -> None:
    write(tmp_path / "a.jsonl", [{"id": f"a{n}", "text": text} for n, text in enumerate(texts)])
    (tmp_path / "eval").mkdir()
    write(tmp_path / "eval/test.jsonl", [{"text": "before " + " ".join(texts[17].split()[20:40])}])
    run = recipe(tmp_path, id="id", exclusions=True, decontamination={"files": ["eval/test.jsonl"]})
    before = corpus_fingerprint(run)
    facts = ingest(run, tmp_path / "out", Silent()).facts
    assert list(excluded(tmp_path / "out")) == [("a17", "contaminated")]
    assert facts["counts"]["dropped"] == {"contaminated": 1}
    assert json.loads((tmp_path / "out/report.json").read_text())["contaminated_by"] == {"eval/test.jsonl:1": 1}
    write(tmp_path / "eval/test.jsonl", [{"text": "something else"}])
    assert corpus_fingerprint(run) != before


def test_clean_writes_what_a_recipe_can_read_again(tmp_path: Path, texts: list[str]) -> None:
    write(
        tmp_path / "a.jsonl", [{"id": f"a{n}", "text": f"{text} mail me@example.org"} for n, text in enumerate(texts)]
    )
    run = recipe(tmp_path, id="id", privacy={"kinds": ["email"]}, languages=[])
    facts = clean(run, tmp_path / "clean", Silent()).facts
    assert facts["splits"] == {"train": {"records": 300, "bytes": facts["splits"]["train"]["bytes"], "dropped": {}}}
    again = recipe(tmp_path / "clean", train="*.jsonl.gz", id="id")
    ingest(again, tmp_path / "again", Silent())
    records = [record for split in ("train", "valid") for record in records_in(tmp_path / "again", split)]
    assert {record.id: record.source for record in records} == {
        f"a{n}": f"{text} mail <EMAIL>" for n, text in enumerate(texts)
    }
    report = json.loads((tmp_path / "clean/report.json").read_text())
    assert report["privacy"] == {"email": 300}
    assert sum(report["language_sample"].values()) == 15


def test_clean_refuses_a_valid_split(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"corpus\.valid: a cleaned corpus has no splits"):
        clean(recipe(tmp_path, valid="a.jsonl"), tmp_path / "out", Silent())


def test_shards_follow_from_the_size(tmp_path: Path, texts: list[str]) -> None:
    write(tmp_path / "a.jsonl", [{"text": text} for text in texts])
    ingest(recipe(tmp_path, shard_bytes=10_000), tmp_path / "small", Silent())
    ingest(recipe(tmp_path), tmp_path / "large", Silent())
    sizes = [path.stat().st_size for path in (tmp_path / "small/Split-train").iterdir()]
    assert len(shard_files(tmp_path / "large", "train")) == 4
    assert len(sizes) > 4


def test_the_report_is_one_page_that_needs_nothing_else_and_escapes_the_corpus(tmp_path: Path) -> None:
    write(
        tmp_path / "a.jsonl", [{"text": "<script>alert(1)</script>\n<script>alert(1)</script>"}] * 40 + [{"text": "x"}]
    )
    (tmp_path / "notes.md").write_text("no corpus file")
    ingest(recipe(tmp_path, train="."), tmp_path / "out", Silent())
    page = (tmp_path / "out/report.html").read_text(encoding="utf-8")
    assert "<script>" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "http" not in page
    report = json.loads((tmp_path / "out/report.json").read_text(encoding="utf-8"))
    assert report["repeated_lines"] == [["<script>alert(1)</script>", 80]]
    assert report["lengths"] == [[1, 1, 1], [32, 63, 40]]
    assert ["notes.md", "unknown_ending"] in report["left_out"]


@pytest.mark.parametrize("shuffle", [False, True])
def test_records_larger_than_a_shard_are_kept_and_reported(tmp_path: Path, texts: list[str], shuffle: bool) -> None:
    large = "large " * 3000
    write(tmp_path / "a.jsonl", [{"id": f"a{n}", "text": text} for n, text in enumerate([*texts, large])])
    run = recipe(tmp_path, id="id", shard_bytes=10_000, shuffle=shuffle, valid_fraction=0.1)
    facts = ingest(run, tmp_path / "out", Silent()).facts
    assert facts["warnings"] == ["1 records have more than 10000 bytes (corpus.shard_bytes): their shards are larger"]
    assert sorted([*ids(tmp_path / "out", "train"), *ids(tmp_path / "out", "valid")]) == sorted(
        f"a{n}" for n in range(301)
    )


def test_half_of_the_corpus_with_one_key_is_one_text(tmp_path: Path, texts: list[str]) -> None:
    rows = [{"id": f"a{n}", "text": texts[n // 2] if n % 2 else f"{texts[0]} and more"} for n in range(600)]
    write(tmp_path / "a.jsonl", rows)
    run = recipe(tmp_path, id="id", duplicates={"exact": True, "near": 0.8}, valid_fraction=0.1)
    facts = ingest(run, tmp_path / "out", Silent()).facts
    kept = [*ids(tmp_path / "out", "train"), *ids(tmp_path / "out", "valid")]
    assert len(kept) == 300
    assert facts["counts"]["dropped"] == {"duplicate_exact": 299, "duplicate_near": 1}
