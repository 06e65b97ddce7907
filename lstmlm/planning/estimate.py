"""From rates to a plan: records, files, bytes, requests, memory and seconds of each stage. Pure functions."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator, Sequence

from lstmlm.corpus.reading.ranges import RANGE_BYTES
from lstmlm.planning.rates import Rates
from lstmlm.recipe.recipe import Recipe

SPLITS = 2


@dataclasses.dataclass(frozen=True, slots=True)
class Load:
    """What a plan is for.

    Attributes:
        records: Rows of the corpus to train on.
        bytes: Their bytes in its files.
        workers: Workers that share each stage that can be shared.
        corpus_files: Files of the corpus.
        inputs: Inputs of the batch job; None: the valid split.
    """

    records: int
    bytes: int
    workers: int
    corpus_files: int = 1
    inputs: int | None = None


@dataclasses.dataclass(frozen=True, slots=True)
class StagePlan:
    """What one stage will take.

    Attributes:
        stage: Its name.
        records: Records that it works on; of train, steps.
        files: Files that it publishes.
        bytes: Bytes of these.
        requests: Files or ranges of files that it reads, and files that it writes: as many requests of a store.
        memory: Bytes of each worker.
        seconds: How long it takes.
    """

    stage: str
    records: int
    files: int
    bytes: int
    requests: int
    memory: int
    seconds: float


def plan(recipe: Recipe, rates: Rates, load: Load) -> list[StagePlan]:
    """Returns the plan of each stage, in their order.

    Time is divided by the workers where a stage is shared out. Workers are taken to be as fast as those that were
    measured, and to share the work evenly.
    """
    return [_corrected(one, rates) for one in _Planner(recipe, rates, load).stages()]


def _corrected(one: StagePlan, rates: Rates) -> StagePlan:
    return dataclasses.replace(one, seconds=one.seconds * rates.factors.get(one.stage, 1.0))


class _Planner:
    """The numbers that several stages share, and the plan of each."""

    def __init__(self, recipe: Recipe, rates: Rates, load: Load) -> None:
        self._recipe, self._rates, self._load = recipe, rates, load
        sizes = rates.sizes
        kept = load.records * sizes.kept
        self.valid = round(kept * sizes.valid) + sizes.valid_records
        self.train = round(kept - kept * sizes.valid)
        self.records = self.train + self.valid
        # Texts grow with the bytes of a row, where more of these are planned than were measured.
        self.grown = load.bytes / max(1.0, load.records * sizes.row_bytes)
        largest = max(self.train, self.valid) * sizes.record_bytes * self.grown
        self.shards = recipe.corpus.shards_for(largest)

    def stages(self) -> Iterator[StagePlan]:
        """Yields the plans."""
        recipe, sizes, load = self._recipe, self._rates.sizes, self._load
        shards, workers = SPLITS * self.shards, load.workers
        ranges = max(load.corpus_files, math.ceil(load.bytes / RANGE_BYTES))
        yield self._one(
            "ingest", load.records, shards, self.records * sizes.record_bytes * self.grown, ranges, load.bytes, workers
        )
        sampled = min(self.train, recipe.tokenizer.sample)
        yield self._one("tokenizer", sampled, 0, 0.0, self.shards, sampled)
        examples = self.records * sizes.example_bytes * self.grown
        # Each shard of examples has an index.
        yield self._one("examples", self.records, 2 * shards, examples, shards, self.records * self.grown, workers)
        yield self._train(2 * shards)
        yield self._fixed("export", 1, self._files("train"))
        measured = self.valid if not sizes.target_tokens else min(self.valid, recipe.evaluation.max_records)
        read = measured if sizes.target_tokens else self.records
        yield self._one("evaluate", measured, 0, 0.0, shards + self._files("export"), read)
        yield self._infer()

    def _infer(self) -> StagePlan:
        recipe, sizes = self._recipe, self._rates.sizes
        most = self._load.inputs
        if most is None:
            most = min(self.valid, recipe.inference.max_records or self.valid)
        tokens = sizes.target_tokens * self.grown if sizes.target_tokens else float(recipe.decoding.max_tokens)
        tokens = min(tokens, float(recipe.decoding.max_tokens))
        text = sizes.target_bytes * (self.grown if sizes.target_tokens else tokens)
        size = most * (sizes.output_bytes * self.grown + text)
        read = self.shards + self._files("export")
        return self._one("infer", most, recipe.inference.shards, size, read, most * tokens, self._load.workers)

    def _train(self, read: int) -> StagePlan:
        settings, seconds = self._recipe.training, self._rates.seconds
        # The last step is evaluated too.
        evaluations = math.ceil(settings.steps / settings.evaluate_every)
        shared = self._rates.workers / self._load.workers
        step = seconds["train.step"] * settings.steps * shared
        batches = min(settings.evaluate_batches, self._valid_batches())
        measured = evaluations * batches * seconds["train.evaluate"] * shared
        found = self._fixed("train", settings.steps, read)
        return dataclasses.replace(found, seconds=seconds["train.start"] + step + measured + seconds["train.end"])

    def _valid_batches(self) -> int:
        """Returns about how many batches the valid split has."""
        settings, tokens = self._recipe.training, self.valid * self._rates.sizes.tokens * self.grown
        per_batch = (
            settings.batch_tokens
            if self._rates.sizes.target_tokens
            else (settings.batch * self._recipe.examples.window)
        )
        return max(1, math.ceil(tokens / per_batch))

    def _one(
        self, stage: str, records: int, files: int, size: float, read: int, units: float, workers: int = 1
    ) -> StagePlan:
        line = self._rates.lines[stage]
        seconds = line.fixed + line.rate * units / workers
        return dataclasses.replace(
            self._fixed(stage, records, read, files), bytes=round(size) + self._rates.files[stage][1], seconds=seconds
        )

    def _fixed(self, stage: str, records: int, read: int, files: int = 0) -> StagePlan:
        """Returns the plan of a stage whose files and seconds do not grow with the corpus."""
        count, size = self._rates.files[stage]
        written = count + files
        seconds = self._rates.seconds.get(stage, 0.0)
        return StagePlan(stage, records, written, size, read + written, self._rates.memory.get(stage, 0), seconds)

    def _files(self, stage: str) -> int:
        return self._rates.files[stage][0]


def total(stages: Sequence[StagePlan]) -> StagePlan:
    """Returns the sum of all stages; of memory, the largest."""
    return StagePlan(
        "all",
        max(one.records for one in stages if one.stage == "ingest"),
        sum(one.files for one in stages),
        sum(one.bytes for one in stages),
        sum(one.requests for one in stages),
        max(one.memory for one in stages),
        sum(one.seconds for one in stages),
    )
