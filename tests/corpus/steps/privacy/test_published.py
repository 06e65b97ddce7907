"""Nothing that is published holds personal data: every file of the folder is searched, and what is shown."""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from lstmlm.corpus.ingest import clean, ingest
from lstmlm.corpus.steps.privacy.published import holds_personal_data, scrubbed, scrubber_of, with_public_names
from lstmlm.errors import UserError
from lstmlm.progress import Silent
from lstmlm.recipe.recipe import Recipe
from lstmlm.recipe.sections.corpus import Privacy
from lstmlm.records.shards import records_in

pytestmark = pytest.mark.slow

SECRETS = ("ann@example.org", "bob@example.com", "201-555-0123", "4111 1111 1111 1111")
PROSE = "The people of the town have to be at home with the river and that is all of it, said the old man. " * 6
PRIVACY = {"kinds": ["email", "phone", "card"]}


def recipe(root: Path, task: str = "generate", **corpus: Any) -> Recipe:
    corpus = {"root": root, "train": "*.jsonl", "valid_fraction": 0.0, "privacy": PRIVACY, "exclusions": True} | corpus
    return Recipe.model_validate({"name": "test", "task": task, "corpus": corpus})


def write(path: Path, rows: list[Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


def published(folder: Path) -> str:
    """Everything below a folder, names of files too."""
    found = []
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            data = path.read_bytes()
            data = gzip.decompress(data) if path.suffix == ".gz" else data
            found += [path.name, data.decode("utf-8", "replace")]
    return "\n".join(found)


def leaks(text: str) -> list[str]:
    return [secret for secret in SECRETS if secret in text]


RULES: dict[str, dict[str, Any]] = {
    "quality": {"quality": ["gopher"]},
    "language": {"languages": ["en"]},
    "copies": {"duplicates": {"exact": True, "near": 0.8}},
    "normalise": {"normalise": True},
    "decontamination": {"decontamination": {"files": ["eval/*.jsonl"], "ngram": 3}},
    "mixture": {"mixture": [{"files": "a.jsonl", "weight": 0.5}]},
}


@pytest.mark.parametrize("rule", RULES)
def test_whatever_drops_a_record_it_is_published_scrubbed(tmp_path: Path, rule: str) -> None:
    corpus = tmp_path / "corpus"
    dropped = [
        "write to ann@example.org now",
        "write to ann@example.org now",
        "Bitte schreiben Sie uns heute noch an bob@example.com, wir antworten Ihnen gerne und sehr schnell.",
        "\x01\x02",
        "call me on 201-555-0123 or pay with 4111 1111 1111 1111 at once",
    ]
    write(corpus / "a.jsonl", [{"text": text} for text in [*dropped, *(PROSE + str(n) for n in range(9))]])
    write(corpus / "eval/test.jsonl", [{"text": "please write to ann@example.org now and then"}])
    run = recipe(corpus, **RULES[rule])
    facts = clean(run, tmp_path / "out", Silent()).facts
    assert facts["counts"]["dropped"]
    found = published(tmp_path / "out")
    assert leaks(found) == []
    excluded = gzip.decompress((tmp_path / "out/exclusions.jsonl.gz").read_bytes()).decode()
    assert "<EMAIL>" in excluded or rule in ("normalise", "mixture")


def test_every_target_and_every_line_of_the_report(tmp_path: Path) -> None:
    corpus = tmp_path / "corpus"
    targets = ["Please write to bob@example.com today", "Please write to 201-555-0123"]
    rows = [{"text": f"line {n}\nann@example.org\nann@example.org", "to": targets} for n in range(20)]
    write(corpus / "a.jsonl", [*rows, {"text": "short", "to": ["201-555-0123 " * 9]}])
    run = recipe(corpus, "translate", target="to", quality=["pairs"])
    ingest_run = run.model_copy(update={"corpus": run.corpus.model_copy(update={"valid_fraction": 0.3})})
    clean(run, tmp_path / "documents", Silent())
    ingest(ingest_run, tmp_path / "records", Silent())
    for folder in ("documents", "records"):
        assert leaks(published(tmp_path / folder)) == []
    assert json.loads((tmp_path / "records/report.json").read_text())["repeated_lines"] == [["<EMAIL>", 40]]


def test_ids_and_split(tmp_path: Path) -> None:
    corpus = tmp_path / "corpus"
    people = ["ann@example.org", "+1 201-555-0123", "4111 1111 1111 1111", "2015550123", "a17"]
    write(corpus / "a.jsonl", [{"id": person, "text": PROSE} for person in people])
    run = recipe(corpus, id="id", valid_fraction=0.5, exclusions=False)
    ingest(run, tmp_path / "with", Silent())
    plain = run.model_copy(update={"corpus": run.corpus.model_copy(update={"privacy": Privacy()})})
    ingest(plain, tmp_path / "without", Silent())
    held = {
        name: [record.id for split in ("train", "valid") for record in records_in(tmp_path / name, split)]
        for name in ("with", "without")
    }
    public = {person: f"a.jsonl:{line}" for line, person in enumerate(people[:3], start=1)}
    assert held["with"] == [public.get(person, person) for person in held["without"]]  # in the same order and split
    assert leaks(published(tmp_path / "with")) == []


def test_names_of_files(tmp_path: Path) -> None:
    corpus = tmp_path / "corpus"
    for person in ("ann@example.org", "bob@example.com"):
        write(corpus / person / "mail.jsonl", [{"text": PROSE}, {"text": "short"}, {"other": 1}])
    write(corpus / "eval/ann@example.org.jsonl", [{"text": "nothing but short things are in here, ann"}])
    (corpus / "ann@example.org.pdf").write_text("not of the corpus")
    run = recipe(
        corpus, train=".", quality=["gopher"], max_dead_fraction=0.9,
        decontamination={"files": ["eval/*.jsonl"], "ngram": 3}, mixture=[{"files": "bob@example.com/*", "weight": 1}],
    )  # fmt: skip
    clean(run, tmp_path / "out", Silent())
    found = published(tmp_path / "out")
    assert leaks(found) == []
    assert "<EMAIL>/mail.jsonl:1" in found
    assert "<EMAIL>/mail.jsonl~2:1" in found
    assert ["<EMAIL>", "unknown_ending"] in json.loads((tmp_path / "out/manifest.json").read_text())["facts"][
        "left_out"
    ]


def test_dead_letters_and_messages(tmp_path: Path) -> None:
    corpus = tmp_path / "corpus"
    write(corpus / "a.jsonl", [{"text": PROSE}, {"ann@example.org": "201-555-0123"}])
    clean(recipe(corpus, max_dead_fraction=0.5), tmp_path / "out", Silent())
    assert leaks(published(tmp_path / "out")) == []
    assert "<EMAIL>" in (tmp_path / "out/dead_letters.jsonl").read_text()
    with pytest.raises(UserError, match=r"no column 'text'.*<EMAIL>") as caught:
        clean(recipe(corpus, max_dead_fraction=0.0), tmp_path / "other", Silent())
    assert leaks(str(caught.value)) == []
    assert caught.value.__suppress_context__  # of what is shown and logged


@pytest.mark.parametrize("options", [[], ["--runner", "processes", "--workers", "2"]], ids=["one", "processes"])
def test_screen_and_log(tmp_path: Path, options: list[str]) -> None:
    """A table without a header: its first row is quoted as the names of columns."""
    (tmp_path / "a.csv").write_text("Ann,ann@example.org,201-555-0123\nBob,bob@example.com,x\n")
    content = {"name": "t", "task": "generate", "corpus": {"root": str(tmp_path), "train": "a.csv", "privacy": PRIVACY}}
    (tmp_path / "recipe.yaml").write_text(json.dumps(content))
    command = [sys.executable, "-m", "lstmlm", "ingest", str(tmp_path / "recipe.yaml"), "-o", str(tmp_path / "out/r")]
    ran = subprocess.run([*command, *options], capture_output=True, text=True, env=os.environ)
    assert ran.returncode == 2
    assert "<EMAIL>" in ran.stderr
    assert leaks(ran.stderr + ran.stdout + published(tmp_path / "out")) == []


def test_json_values() -> None:
    scrubber = scrubber_of(Privacy(kinds=("email",)))
    value = {"ann@example.org": 1, "bob@example.com": 2, "x": [True, None, "to ann@example.org", {"n": 1.5}]}
    assert scrubbed(value, scrubber) == {"<EMAIL>": 3, "x": [True, None, "to <EMAIL>", {"n": 1.5}]}
    assert scrubbed(value, None) is value
    assert scrubber_of(Privacy()) is None


def test_names_without_personal_data_stay() -> None:
    assert with_public_names([], scrubber_of(Privacy(kinds=("email",)))) == []
    scrubber = scrubber_of(Privacy(kinds=("email", "phone")))
    assert scrubber is not None
    assert not holds_personal_data("2015550123", scrubber)
    assert holds_personal_data("201-555-0123", scrubber)
