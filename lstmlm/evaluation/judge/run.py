"""`lstmlm judge`: says how well a generator's texts are distinguished from real ones, and reranks samples by that.

A text has two scores (compare the classifier two-sample test of Lopez-Paz and Oquab 2017): how likely the generator
finds a text, and a head on the generator's own LSTM.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from lstmlm.errors import UserError
from lstmlm.evaluation.judge.auc import Auc, with_interval
from lstmlm.evaluation.judge.logistic import Head
from lstmlm.evaluation.judge.metrics import METRICS
from lstmlm.evaluation.judge.reading import read
from lstmlm.evaluation.judge.samples import Pair, drawn_pairs
from lstmlm.evaluation.judge.verdict import Verdict, best, fitted, verdict
from lstmlm.inference.model.same_network import check_same_network
from lstmlm.publish.folder import Draft, Manifest, read_manifest
from lstmlm.records.record import Record
from lstmlm.stages import STAGES
from lstmlm.task import Task, load_task

if TYPE_CHECKING:
    from lstmlm.models.language_model import LanguageModel
    from lstmlm.progress import Progress
    from lstmlm.recipe.recipe import Recipe

STAGE = STAGES["judge"]
METRICS_FILE, HEAD_FILE, SAMPLES_FILE = "judge.json", "head.npz", "samples.jsonl"


@dataclasses.dataclass(frozen=True, slots=True)
class Measured:
    """What was measured, and with what.

    Attributes:
        verdict: How well one sample of each prompt is distinguished from the real text.
        one: How well a second judge distinguishes the first sample of prompts that it has not seen.
        reranked: How well it distinguishes, of the same prompts, the sample that the first judge takes for real.
        head: The first judge, which reranks.
        pairs: The texts.
        scores: float64 [pairs, samples]: what the first judge says of each sample.
    """

    verdict: Verdict
    one: Auc
    reranked: Auc
    head: Head
    pairs: list[Pair]
    scores: np.ndarray[Any, np.dtype[np.float64]]

    def metrics(self) -> dict[str, Any]:
        """Returns `METRICS`."""
        found, likelihood = self.verdict.hidden, self.verdict.likelihood
        values = [found.value, found.low, found.high, self.verdict.accuracy]
        values += [likelihood.value, likelihood.low, likelihood.high]
        values += [self.one.value, self.reranked.value, self.reranked.low, self.reranked.high, len(self.pairs)]
        return dict(zip(METRICS, values, strict=True))


def measure(export: Path, records: Sequence[Record], recipe: Recipe, task: Task) -> Measured:
    """Measures a generator's texts.

    A third of the prompts teaches the judge that reranks, a third the one that is asked about the result, and the last
    third is what both are tried on; so no judge is asked about texts that were chosen to please it.

    Args:
        export: The export folder.
        records: The valid split.
        recipe: The run; `evaluation.judge` says how many texts.
        task: The task.

    Raises:
        UserError: The task is another one, or too few records are long enough.
    """
    pairs = drawn_pairs(export, records, recipe, task)
    network = generator(export, recipe, task)
    each = recipe.evaluation.judge.samples
    given = [pair.given for pair in pairs]
    real = read(network, [pair.real for pair in pairs], given)
    every = [sample for pair in pairs for sample in pair.generated]
    samples = read(network, every, np.repeat(given, each).tolist())
    places = np.arange(len(pairs))
    first = samples.some(places * each)
    ranks, asked, tried = (places[part::3] for part in range(3))
    reranker = fitted(real.some(ranks), first.some(ranks), whole=True)
    second = fitted(real.some(asked), first.some(asked), whole=True)
    of_tried = samples.some((tried[:, None] * each + np.arange(each)).ravel())
    chosen = of_tried.some(best(reranker, of_tried, each))
    truth = second.score(real.some(tried).features)
    one, reranked = (
        with_interval(truth, second.score(found.features), recipe.seed) for found in (first.some(tried), chosen)
    )
    scores = reranker.score(samples.features).reshape([-1, each])
    return Measured(verdict(real, first, recipe.seed), one, reranked, reranker, pairs, scores)


def generator(export: Path, recipe: Recipe, task: Task) -> LanguageModel:
    """Returns the network of an export.

    Raises:
        UserError: It is not a language model that reads forward.
    """
    from lstmlm.models.language_model import LanguageModel
    from lstmlm.models.weights import load_arrays
    from lstmlm.tokenizer import Tokenizer, tokenizer_file

    network = task.build(recipe, Tokenizer(tokenizer_file(export)).size)
    backward = getattr(recipe.task_options, "direction", "forward") == "backward"
    if not isinstance(network, LanguageModel) or backward:
        what = "only a language model that reads forward writes texts of its own"
        raise UserError(what, where="task", hint="Take a recipe of task generate")
    load_arrays(export / "weights.npz", network.named_variables())
    return network


def judge(recipe: Recipe, export: Path, records: Path, output: Path, progress: Progress) -> Manifest:
    """Publishes how well a generator's texts are distinguished from held-out ones.

    Args:
        recipe: The run; `evaluation.judge` says how many texts, and `decoding` how they are sampled.
        export: The export folder.
        records: The records folder.
        output: Gets `judge.json` (the metrics), `head.npz` (the judge that reranks), and `samples.jsonl`: for each
            prompt the samples with their scores, log-odds that they are real, and the best as `output`.
        progress: Receives the progress of the stage.

    Raises:
        UserError: A folder is not finished, the task is another one, or too few records are long enough.
    """
    from lstmlm.records.shards import records_in

    task = load_task(recipe.task)
    model, data = read_manifest(export, "export", verify=True), read_manifest(records, "records")

    def write(draft: Draft) -> None:
        check_same_network(recipe, export)
        progress.update(0, unit="texts", note="sampling")
        found = measure(export, list(records_in(records, "valid")), recipe, task)
        metrics = found.metrics()
        text = json.dumps(metrics, indent=1, sort_keys=True)
        (draft.path / METRICS_FILE).write_text(text + "\n", encoding="utf-8")
        with (draft.path / HEAD_FILE).open("wb") as stream:
            np.savez(stream, **{name: np.asarray(value) for name, value in dataclasses.asdict(found.head).items()})
        lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in _rows(found))
        (draft.path / SAMPLES_FILE).write_text(lines, encoding="utf-8")
        draft.facts.update(metrics)
        progress.update(len(found.pairs), len(found.pairs), unit="texts")

    stamp = STAGE.stamp(list(STAGE.decided(recipe).values()), model.fingerprint, data.fingerprint)
    return STAGE.publish(output, stamp, write)


def _rows(found: Measured) -> Iterator[dict[str, Any]]:
    for pair, scores in zip(found.pairs, found.scores, strict=True):
        samples = [
            {"output": text, "score": round(float(score), 6)} for text, score in zip(pair.samples, scores, strict=True)
        ]
        yield {"id": pair.id, "source": pair.prompt, "output": pair.samples[int(scores.argmax())], "samples": samples}
