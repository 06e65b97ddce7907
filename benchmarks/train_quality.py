"""Measures model quality after some minutes of training: rows of `benchmarks/train.py`, each by its name.

`wikitext2` and `translate` train a recipe and a plain PyTorch peer (`peers/torch_word_lm.py` and
`peers/torch_translate.py`) for the same minutes on the same two cores, one after the other, and evaluate both on the
same text of valid. `wikitext2_90` and `translate_60` train the recipe longer and hold it against a fixed bar.

Only training counts: evaluations on the way, preparing the data and the final evaluation are not counted, on both
sides. Our trainer works in steps, so a short run measures seconds a step, the real one gets the steps that fill the
minutes, and a row whose training took over 3 % longer than it may is not reported. With QUICK=1 minutes are seconds
and nothing has a bar; MINUTES=60 trains so long, at most as long as the row may.
"""

from __future__ import annotations

import dataclasses
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import infer_model
from environments import TORCH, peer_python
from table import Row, row
from train_clock import LOG_EVERY, Clock, Timing, timing

from lstmlm.recipe.file import load_recipe
from lstmlm.recipe.recipe import Recipe

ROOT = Path(__file__).resolve().parents[1]
WORK = ROOT / "build" / "bench" / "quality"

CORES = 2
AIM, TOLERANCE = 0.97, 1.03
"""Shares of the minutes: what the steps are chosen to take, and what they may take."""


@dataclasses.dataclass(frozen=True)
class Plan:
    """A row.

    Attributes:
        recipe: Which one is trained.
        minutes: For how long.
        bar: What the row is held against.
        settings: Overrides of the recipe, as for `lstmlm run --set`: the place to tune it.
    """

    recipe: str
    minutes: float
    bar: float
    settings: tuple[str, ...] = ()


REGULARISED = (
    "tokenizer.algorithm=word",  # every word of the corpus: its valid split has no others, `<unk>` is one of them
    "tokenizer.vocabulary=34000",
    "tokenizer.symbols=[]",
    "model.cutoffs=[2000,10000]",
    "model.embedding=400",
    "model.units=640",
    "model.layers=2",
    "model.dropout=0.25",
    "model.input_dropout=0.45",
    "model.output_dropout=0.45",
    "model.embedding_dropout=0.1",
    "model.weight_drop=0.5",
    "training.activation_penalty=2",
    "training.temporal_penalty=1",
    "training.batch=64",
    "training.learning_rate=0.003",
    "training.weight_decay=0.1",
    "training.warmup=400",
    "training.ema=0.999",
)
FASTER = ("model.softmax=adaptive", "training.batch_tokens=2048")

PLANS = {
    "wikitext2": Plan("wikitext2", 20, 0.7),
    "translate": Plan("translate_en_fr", 20, 3.0, ("decoding.method=greedy", *FASTER)),
    "translate_zh": Plan("translate_en_zh", 20, 3.0, ("decoding.method=greedy", "decoding.precision=float32")),
    "wikitext2_90": Plan("wikitext2", 90, 105.0, REGULARISED),
    "translate_60": Plan("translate_en_fr", 60, 45.0, ("decoding.method=beam", "decoding.beam=5", *FASTER)),
}


class TookTooLong(Exception):
    """A training had more time than the row says, so there is no row."""


@dataclasses.dataclass(frozen=True)
class Trained:
    """A recipe that was trained for so many minutes.

    Attributes:
        recipe: The recipe with its settings.
        folder: The run's folder.
        metrics: What the evaluation found.
        minutes: What the training took.
        limit: How a row names the time it was given.
    """

    recipe: Recipe
    folder: Path
    metrics: dict[str, Any]
    minutes: float
    limit: str


def rows(name: str, quick: bool) -> list[Row]:
    """Measures one of the rows.

    Args:
        name: One of `PLANS`.
        quick: Whether minutes are seconds.

    Raises:
        TookTooLong: The training had more time than it may have.
    """
    os.environ.setdefault("LSTMLM_CORPORA", str(ROOT.parent / "shared" / "corpora"))
    plan = PLANS[name]
    plan = dataclasses.replace(plan, minutes=min(plan.minutes, float(os.environ.get("MINUTES", plan.minutes))))
    minutes = plan.minutes / 60 if quick else plan.minutes
    trained = train(name, plan, minutes, quick)
    plan = dataclasses.replace(plan, minutes=minutes)
    found = EVALUATIONS[name](plan, trained)
    return [line | {"bar": None, "holds": None} for line in found] if quick else found


def train(name: str, plan: Plan, minutes: float, quick: bool) -> Trained:
    """Trains a recipe for so many minutes, in an empty folder.

    Raises:
        TookTooLong: See `rows`.
    """
    output = WORK / name
    shutil.rmtree(output, ignore_errors=True)
    settings = (f"output={output}", *plan.settings)
    probe = (f"training.steps={30 if quick else 120}", "evaluation.max_records=20")
    steps = lstmlm_run(plan.recipe, (*settings, *probe)).steps_within(AIM * 60 * minutes)
    settings = (*settings, f"training.steps={steps}")
    took = lstmlm_run(plan.recipe, settings)
    limit = f"{plan.minutes:g} {'seconds (QUICK)' if quick else 'minutes'}"
    print(f"{name}: {took.steps} steps took {took.seconds:.0f} s, {limit} were given", flush=True)
    if not quick and took.seconds > TOLERANCE * 60 * minutes:
        raise TookTooLong(f"{name}: the training took {took.seconds / 60:.1f} minutes instead of {minutes:g}")
    recipe = load_recipe(recipe_file(plan.recipe), settings)
    verdicts = recipe.run_folder.glob("artifacts/Evaluator/evaluation/*/metrics.json")
    newest = max(verdicts, key=lambda path: path.stat().st_mtime)
    metrics: dict[str, Any] = json.loads(newest.read_text(encoding="utf-8"))["metrics"]
    return Trained(recipe, recipe.run_folder, metrics, took.seconds / 60, limit)


def lstmlm_run(name: str, settings: tuple[str, ...]) -> Timing:
    """Runs a recipe on the cores of the benchmark and returns what its training took."""
    recipe = load_recipe(recipe_file(name), settings)
    if recipe.training.evaluate_every % LOG_EVERY:
        raise SystemExit(f"{name}: to be timed, training.evaluate_every must be a multiple of {LOG_EVERY}")
    words = [word for setting in settings for word in ("--set", setting)]
    command = [*pinned(), sys.executable, "-m", "lstmlm", "run", str(recipe_file(name)), *words]
    environment = os.environ | {"PYTHONPATH": str(ROOT), "CUDA_VISIBLE_DEVICES": "-1"}
    with Clock(recipe.run_folder) as clock:
        done = subprocess.run(command, cwd=ROOT, env=environment, stdout=sys.stderr)
    if done.returncode not in (0, 3):  # 3: not good enough to be pushed, which is not what is measured here
        raise SystemExit(f"{name}: exit code {done.returncode}")
    return timing(clock.seen)


def recipe_file(name: str) -> Path:
    """Returns the path of a recipe."""
    return ROOT / "pipelines" / "recipes" / f"{name}.yaml"


def pinned() -> list[str]:
    """Returns what a command begins with to have the cores of the benchmark and no others."""
    return ["taskset", "-c", ",".join(map(str, sorted(os.sched_getaffinity(0))[:CORES]))]


def peer(script: str, minutes: float, *arguments: Path) -> dict[str, Any]:
    """Runs a peer on the same cores and returns what it printed last."""
    python = peer_python("torch", TORCH)
    command = [*pinned(), str(python), str(ROOT / "benchmarks" / "peers" / script), *map(str, arguments)]
    command += ["--minutes", str(minutes), "--threads", str(CORES)]
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    done = subprocess.run(command, env=environment | {"CUDA_VISIBLE_DEVICES": "-1"}, stdout=subprocess.PIPE, text=True)
    if done.returncode:
        raise SystemExit(f"{script}: exit code {done.returncode}")
    print(done.stdout, end="", flush=True)
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return result


def language_against_peer(plan: Plan, trained: Trained) -> list[Row]:
    """Our perplexity and the peer's: both over the words and the ends of the lines that hold any."""
    measured = peer("torch_word_lm.py", plan.minutes, Path(str(trained.recipe.corpus.root)))
    ours, words = trained.metrics, trained.metrics["words"] + trained.metrics["records"]
    if words != measured["words"]:
        raise SystemExit(f"not the same text: {words} words and ends of line here, {measured['words']} at the peer")
    name = f"wikitext2, {trained.limit} of training: perplexity a word on valid, ends of line counted as words"
    theirs = float(measured["perplexity"])
    found = {name: float(ours["word_perplexity_eos"])}
    found[f"{name}; with the neural cache, the peer without"] = float(ours["cache_word_perplexity_eos"])
    return [
        row(name, value, peer=theirs, ratio=value / theirs, bar=plan.bar, at_most=True) for name, value in found.items()
    ]


def language_ours(plan: Plan, trained: Trained) -> list[Row]:
    """Our perplexity over only the words, by the network and with its cache, and over the ends of line too."""
    name = f"wikitext2, {trained.limit} of training: perplexity a word on valid"
    return [
        row(name, float(trained.metrics["word_perplexity"]), bar=plan.bar, at_most=True),
        row(
            f"{name}, with the neural cache",
            float(trained.metrics["cache_word_perplexity"]),
            bar=plan.bar,
            at_most=True,
        ),
        row(f"{name}, ends of line counted as words", float(trained.metrics["word_perplexity_eos"])),
    ]


def translation_against_peer(plan: Plan, trained: Trained) -> list[Row]:
    """Our BLEU and the peer's: the same pieces, sources and references."""
    from lstmlm.evaluation.languages import output_language
    from lstmlm.evaluation.pairs import group_by_source
    from lstmlm.evaluation.translation import translation_metrics
    from lstmlm.records.shards import records_in
    from lstmlm.tokenizer import Tokenizer

    recipe, model = trained.recipe, infer_model.of_run(trained.folder)
    tokenizer = Tokenizer(model.export / "tokenizer.model")
    groups = group_by_source(list(records_in(model.records, "valid")), recipe.evaluation.max_records, recipe.seed)

    def closed(text: str, longest: int) -> list[int]:
        return [*tokenizer.encode(text)[: longest - 1], tokenizer.END]

    longest = recipe.examples.max_source, recipe.examples.max_target
    pairs = [
        (closed(record.source, longest[0]), closed(target, longest[1]))
        for record in records_in(model.records, "train")
        for target in record.targets
    ]
    sources = [closed(record.source, longest[0]) for record, _ in groups]
    work, outputs = trained.folder / "peer.json", trained.folder / "peer_outputs.json"
    content = {"train": pairs, "valid": sources, "vocabulary": tokenizer.size}
    work.write_text(json.dumps(content | {"max_tokens": recipe.decoding.max_tokens}), encoding="utf-8")
    peer("torch_translate.py", plan.minutes, work, outputs)
    texts = [tokenizer.decode(ids) for ids in json.loads(outputs.read_text(encoding="utf-8"))]
    measured = translation_metrics(texts, [targets for _, targets in groups], output_language(recipe))
    theirs = float(measured["bleu"])
    name = f"{plan.recipe}, {trained.limit} of training: greedy sacreBLEU on valid (bar: the peer's + {plan.bar:g})"
    return [row(name, float(trained.metrics["bleu"]), peer=theirs, bar=round(theirs + plan.bar, 3))]


def translation_ours(plan: Plan, trained: Trained) -> list[Row]:
    """Our BLEU, decoded as the settings say."""
    decoding = trained.recipe.decoding
    method = f"beam {decoding.beam}" if decoding.method == "beam" else decoding.method
    name = f"translate, {trained.limit} of training: sacreBLEU on valid, {method}"
    return [row(name, float(trained.metrics["bleu"]), bar=plan.bar)]


EVALUATIONS: dict[str, Callable[[Plan, Trained], list[Row]]] = {
    "wikitext2": language_against_peer,
    "translate": translation_against_peer,
    "translate_zh": translation_against_peer,
    "wikitext2_90": language_ours,
    "translate_60": translation_ours,
}
