"""Evaluation files: all of their texts are compared, or the run fails and says why."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from lstmlm.corpus.ingest import clean, ingest
from lstmlm.corpus.sources.files import named_files
from lstmlm.corpus.steps.evaluation_texts import index_evaluation_texts
from lstmlm.errors import UserError
from lstmlm.progress import Silent
from lstmlm.publish.folder import read_manifest
from lstmlm.recipe.recipe import Recipe
from lstmlm.records.shards import records_in
from tests.corpus.languages import SENTENCES

LEAKS = [f"Question {n}: which of the old bridges over the quiet river was built first, and by whom?" for n in range(5)]

ANSWER = "The one at the mill, and the miller's widow paid for it from what her father had left to her in his will."


def recipe(root: Path, files: list[str], task: str = "generate", **corpus: Any) -> Recipe:
    decontamination = {"files": files, **corpus.pop("decontamination", {})}
    section = {"root": root, "train": "train.jsonl", "valid_fraction": 0.0, "decontamination": decontamination}
    return Recipe.model_validate({"name": "test", "task": task, "corpus": section | corpus})


def lines(texts: list[str], key: str = "text") -> str:
    return "".join(json.dumps({key: text}, ensure_ascii=False) + "\n" for text in texts)


def kept(root: Path, run: Recipe) -> list[str]:
    clean(run, root / "out", Silent())
    assert read_manifest(root / "out", "documents").facts["counts"]["in"]
    texts = []
    for path in sorted((root / "out").glob("documents-*.gz")):
        with gzip.open(path, "rt", encoding="utf-8") as stream:
            texts += [json.loads(line)["text"] for line in stream]
    return texts


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("key.jsonl", lines(LEAKS, "question"), "no row has text under 'text'; its keys are 'question'"),
        ("numbers.jsonl", '{"text": 5}\n', "no row has text under 'text'; its keys are 'text'"),
        ("empty.jsonl", "", "it has no rows"),
        ("blank.txt", "\n \n", "it has no rows"),
        ("key.csv", "question,answer\na,b\n", "no row has text under 'text'; its keys are 'question', 'answer'"),
        ("broken.jsonl", lines(LEAKS) + '{"text": "cut', "broken JSON"),
        ("latin.txt", "caf\xe9\n".encode("latin-1"), "invalid UTF-8"),
        ("cut.jsonl.gz", gzip.compress(lines(LEAKS).encode(), mtime=0)[:-40], "ends early"),
    ],
)
def test_a_file_that_is_not_compared_fails_the_run(
    tmp_path: Path, name: str, content: str | bytes, message: str
) -> None:
    (tmp_path / "train.jsonl").write_text(lines(LEAKS), encoding="utf-8")
    (tmp_path / name).write_bytes(content.encode() if isinstance(content, str) else content)
    with pytest.raises(UserError) as caught:
        clean(recipe(tmp_path, [name]), tmp_path / "out", Silent())
    assert message in str(caught.value)
    assert name in str(caught.value)
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "out").exists()


def test_other_keys_can_be_named(tmp_path: Path) -> None:
    (tmp_path / "train.jsonl").write_text(lines([*LEAKS, ANSWER]), encoding="utf-8")
    rows = [{"question": LEAKS[0], "choices": LEAKS[1:4], "answer": ANSWER}, {"question": LEAKS[4]}]
    (tmp_path / "eval.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    run = recipe(tmp_path, ["eval.jsonl"], decontamination={"columns": ["question", "choices"]})
    assert kept(tmp_path, run) == [ANSWER]
    facts = read_manifest(tmp_path / "out", "documents").facts
    assert facts["evaluation_texts"] == [["eval.jsonl", 2, 5]]


def test_an_evaluation_file_of_pairs_may_lack_the_answers(tmp_path: Path) -> None:
    (tmp_path / "eval.jsonl").write_text(lines(LEAKS), encoding="utf-8")
    (tmp_path / "notes.txt").write_text(LEAKS[0], encoding="utf-8")
    run = recipe(tmp_path, ["eval.jsonl", "notes.txt"], "translate", target="fr")
    files = [file for name in ("eval.jsonl", "notes.txt") for file in named_files(run.corpus, name, "")]
    assert [one.row() for one in index_evaluation_texts(run, files, tmp_path / "i")] == [
        ["eval.jsonl", 5, 5], ["notes.txt", 1, 1],
    ]  # fmt: skip


@pytest.mark.parametrize("language", SENTENCES)
def test_a_sentence_inside_another_text_is_found_in_every_script(tmp_path: Path, language: str) -> None:
    sentence = SENTENCES[language]
    (tmp_path / "train.jsonl").write_text(lines([f"1 {sentence} 2", sentence[: len(sentence) // 3]]), encoding="utf-8")
    (tmp_path / "eval.jsonl").write_text(lines([f"0 {sentence}"]), encoding="utf-8")
    assert kept(tmp_path, recipe(tmp_path, ["eval.jsonl"])) == [sentence[: len(sentence) // 3]]


@pytest.mark.parametrize(
    "name",
    [
        "中华人民共和国全国人民代表大会常务委员会",
        "国立研究開発法人宇宙航空研究開発機構",
        "มหาวิทยาลัยเทคโนโลยีพระจอมเกล้าพระนครเหนือ",
        "ព្រះរាជាណាចក្រកម្ពុជា",
    ],
)
def test_one_shared_name_is_no_contamination(tmp_path: Path, name: str) -> None:
    first, *_, last = SENTENCES.values()
    (tmp_path / "train.jsonl").write_text(lines([f"{last}{name}{first}"]), encoding="utf-8")
    (tmp_path / "eval.jsonl").write_text(lines([f"{first}{name}{last}"[len(first) - 3 : len(first) + len(name) + 3]]))
    assert len(kept(tmp_path, recipe(tmp_path, ["eval.jsonl"]))) == 1


def test_a_valid_file_is_not_compared_with_itself(tmp_path: Path) -> None:
    (tmp_path / "train.jsonl").write_text(lines([LEAKS[0], "kept"]), encoding="utf-8")
    (tmp_path / "valid.jsonl").write_text(lines(LEAKS), encoding="utf-8")
    facts = ingest(recipe(tmp_path, ["valid.jsonl"], valid="valid.jsonl"), tmp_path / "out", Silent()).facts
    assert [record.source for record in records_in(tmp_path / "out", "valid")] == LEAKS
    assert [record.source for record in records_in(tmp_path / "out", "train")] == ["kept"]
    assert facts["splits"]["train"]["dropped"] == {"contaminated": 1}
    assert facts["splits"]["valid"]["dropped"] == {}
