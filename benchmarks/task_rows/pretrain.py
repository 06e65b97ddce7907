"""Rows of what a model takes over: fine-tuning with a vocabulary that grows, distilling, back-translation.

All are on Tatoeba, English to French. It is one corpus, so the other domain of the fine-tuning is made of it: the model
learns from sentences of up to 8 English words, and is fine-tuned on 2,000 of 10 words and more.
"""

from __future__ import annotations

import json
import random
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from documents import CORPORA
from table import Row, row
from task_runs import RECIPES, ROOT, WORK, Result, run_recipe

RECIPE = RECIPES / "translate_en_fr.yaml"
HOME = WORK / "pretrain"
SHORT, LONG = 8, 10
"""Most English words of a sentence to pre-train on, fewest of one of the other domain."""
FINE_TUNED, PAIRS = 2_000, 20_000
STEPS = {"base": 6000, "fine": 800, "pairs": 4000}
"""Steps of each kind of training; about 20 minutes of two cores for 6000."""
QUICK = ("model.units=64", "model.encoder_units=32", "model.embedding=64", "training.evaluate_batches=4")
PIECES, MORE_PIECES, FEW_PIECES = 8000, 200, 2000
"""Of the vocabulary, new ones for the other domain, and of the vocabulary of a quick run."""
FEW = 3000
"""Pairs of a quick run."""


def rows(quick: bool) -> Iterator[Row]:
    """Yields the rows; see the module."""
    yield from _fine_tuned(quick)
    yield from _distilled(quick)
    yield from _back_translated(quick)


def _changes(kind: str, quick: bool) -> list[str]:
    steps = 40 if quick else STEPS[kind]
    changes = [f"training.steps={steps}", f"training.warmup={min(300, steps // 4)}", "evaluation.thresholds={}"]
    every = max(20, steps // 12)
    changes += [f"training.evaluate_every={every}", f"training.checkpoint_every={every}", "training.workers=1"]
    changes += ["training.threads=2", f"tokenizer.vocabulary={_pieces(quick)}"]
    # Those of the first vocabulary, by name: a vocabulary that grows keeps them.
    changes.append(f"model.cutoffs=[{_pieces(quick) // 8},{_pieces(quick) // 2}]")
    return [*changes, *(QUICK if quick else ())]


def _pieces(quick: bool) -> int:
    return FEW_PIECES if quick else PIECES


def _some(lines: list[str], quick: bool) -> list[str]:
    """Returns lines in a random order, in a quick run a few of them."""
    lines = [*lines]
    random.Random(2).shuffle(lines)
    return lines[:FEW] if quick else lines


def _pairs(split: str) -> list[str]:
    lines = (CORPORA / "tatoeba_en_fr" / f"{split}.tsv").read_text(encoding="utf-8").splitlines()
    return lines[1:]


def _words(line: str) -> int:
    return len(line.partition("\t")[0].split())


def _corpus(name: str, train: Sequence[str], valid: Sequence[str]) -> list[str]:
    """Writes a corpus of pairs; returns the changes of a recipe that reads it."""
    folder = HOME / "corpora" / name
    folder.mkdir(parents=True, exist_ok=True)
    for split, lines in (("train", train), ("valid", valid)):
        (folder / f"{split}.tsv").write_text("\n".join(["en\tfr", *lines]) + "\n", encoding="utf-8")
    return [f"corpus.root={folder}"]


def _fine_tuned(quick: bool) -> Iterator[Row]:
    short = [_some([line for line in _pairs(split) if _words(line) <= SHORT], quick) for split in ("train", "valid")]
    long = [[line for line in _pairs(split) if _words(line) >= LONG] for split in ("train", "valid")]
    chosen = random.Random(1).sample(long[0], FINE_TUNED)
    base = run_recipe(RECIPE, HOME / "base", [*_corpus("short", *short), *_changes("base", quick)])
    there = _corpus("long", chosen, long[1])
    before = _measured_on(base, there, "base_there", _changes("base", quick))
    changes = [*there, *_changes("fine", quick), "training.learning_rate=0.001"]
    changes += [f"training.initial={base.folder / 'train'}", f"tokenizer.grows={base.folder / 'tokenizer'}"]
    changes += [f"tokenizer.vocabulary={_pieces(quick) + MORE_PIECES}"]
    after = run_recipe(
        RECIPE, HOME / "fine", changes, ["ingest", "tokenizer", "examples", "train", "export", "evaluate"]
    )
    name = f"BLEU on sentences of {LONG} words and more: fine-tuned on {FINE_TUNED:,} against before, points more"
    gain = after.metrics["bleu"] - before["bleu"]
    yield row(name, after.metrics["bleu"], peer=before["bleu"], ratio=gain, bar=None if quick else 3.0)
    yield row("old vocabulary: share of ids that are unchanged", _same_ids(base, after), bar=1.0)


def _measured_on(model: Result, corpus: Sequence[str], name: str, changes: Sequence[str]) -> dict[str, Any]:
    """Evaluates a finished model on another corpus."""
    folder = HOME / name
    shutil.copytree(model.folder / "export", folder / "export", dirs_exist_ok=True)
    return run_recipe(RECIPE, folder, [*changes, *corpus], ["ingest", "evaluate"]).metrics


def _same_ids(old: Result, new: Result) -> float:
    import sentencepiece

    models = [str(one.folder / "tokenizer" / "tokenizer.model") for one in (old, new)]
    before, after = (sentencepiece.SentencePieceProcessor(model_file=model) for model in models)
    count = before.get_piece_size()
    return sum(before.id_to_piece(n) == after.id_to_piece(n) for n in range(count)) / count


def _distilled(quick: bool) -> Iterator[Row]:
    changes = [*_changes("base", quick), "inference.max_records=null"]
    if quick:
        changes += _corpus("few", _some(_pairs("train"), quick), _some(_pairs("valid"), quick)[:200])
    beam = ["decoding.method=beam", "decoding.beam=5"]
    teacher = run_recipe(RECIPE, HOME / "teacher", [*changes, *beam])
    home = HOME / "distilled"
    command = ["distill", str(RECIPE), "--teacher", str(teacher.folder / "export"), "-o", str(home)]
    _lstmlm(*command, *(word for change in [*changes, *beam] for word in ("--set", change)))
    student = run_recipe(home / "student.yaml", HOME / "student")
    bleu = [one.metrics["bleu"] for one in (student, teacher)]
    name = "BLEU: student of half the size, greedy, against its teacher with beam 5, points less"
    yield row(name, bleu[0], peer=bleu[1], ratio=bleu[1] - bleu[0], bar=None if quick else 1.0, at_most=True)
    recipes = {"student": (home / "student.yaml", student, []), "teacher": (RECIPE, teacher, [*changes, *beam])}
    speeds = {name: _speed(name, *given) for name, given in recipes.items()}
    name = "batch job, records per second: student, greedy, against its teacher with beam 5"
    ratio = speeds["student"] / speeds["teacher"]
    yield row(name, speeds["student"], peer=speeds["teacher"], ratio=ratio, bar=None if quick else 3.0)


def _speed(name: str, recipe: Path, model: Result, changes: Sequence[str]) -> float:
    """Returns records per second of the batch job over the valid split, the loading of the model left out."""
    output = HOME / "speed" / name
    shutil.rmtree(output, ignore_errors=True)
    folders = ["--export", str(model.folder / "export"), "--records", str(model.folder / "ingest")]
    changed = [word for change in changes for word in ("--set", change)]
    _lstmlm("infer", str(recipe), *folders, "-o", str(output), *changed)
    found = json.loads(output.with_name(f"{name}.metrics.json").read_text(encoding="utf-8"))
    return float(found["records_per_second"])


def _back_translated(quick: bool) -> Iterator[Row]:
    pairs = _some(_pairs("train"), quick)
    valid = _some(_pairs("valid"), quick)[:200] if quick else _pairs("valid")
    count = len(pairs) // 2 if quick else PAIRS
    corpus, changes = _corpus("pairs", pairs[:count], valid), _changes("pairs", quick)
    text = HOME / "corpora" / "french.txt"
    text.write_text("\n".join(line.partition("\t")[2] for line in pairs[count:]) + "\n", encoding="utf-8")
    plain = run_recipe(RECIPE, HOME / "plain", [*corpus, *changes])
    home = HOME / "back"
    changed = [word for change in [*corpus, *changes] for word in ("--set", change)]
    _lstmlm("back-translate", str(RECIPE), "-o", str(home), *changed)
    reverse = run_recipe(home / "reverse.yaml", HOME / "reverse")
    export = ["--reverse", str(reverse.folder / "export"), "--text", str(text)]
    _lstmlm("back-translate", str(RECIPE), "-o", str(home), *export, *changed)
    augmented = run_recipe(home / "augmented.yaml", HOME / "augmented")
    gain = augmented.metrics["bleu"] - plain.metrics["bleu"]
    name = f"BLEU: {count:,} pairs and {len(pairs) - count:,} back-translated texts against the pairs, points more"
    yield row(name, augmented.metrics["bleu"], peer=plain.metrics["bleu"], ratio=gain, bar=None if quick else 2.0)


def _lstmlm(*arguments: str) -> None:
    """Runs a command.

    Raises:
        SystemExit: It failed; what it printed was printed.
    """
    status = subprocess.run([sys.executable, "-m", "lstmlm", *arguments], cwd=ROOT, check=False).returncode
    if status:
        raise SystemExit(f"lstmlm {arguments[0]}: exit code {status}")
