"""Chooses sizes and steps of a recipe that fit the corpus, the processor and the time given."""

from __future__ import annotations

import dataclasses
import os
import time
from collections.abc import Mapping
from typing import Any

import numpy as np

from lstmlm.cli.init.guess import Guess
from lstmlm.cli.init.look import Look

Sections = Mapping[str, Mapping[str, Any]]

OVERHEAD_SECONDS = 150.0
"""What a run takes next to training, about: starting Ray and TFX, the corpus, the export, the evaluation."""
SHARE = 0.6
"""Share of the time that is left that training is planned for: a speed measured in a second is not exact."""
_EFFICIENCY = 0.4
"""Share of the processor's speed in large products of matrices that training reaches."""


@dataclasses.dataclass(frozen=True, slots=True)
class Machine:
    """What training runs on.

    Attributes:
        cores: Processor cores.
        flops: Multiplications and additions per second, in float32, of one core.
        bfloat16: Whether the processor multiplies bfloat16.
    """

    cores: int
    flops: float
    bfloat16: bool


def this_machine() -> Machine:
    """Measures this machine for a second."""
    from lstmlm.training.auto import has_bfloat16

    left, right = np.ones((64, 512), np.float32), np.ones((512, 2048), np.float32)
    count, begun = 0, time.process_time()
    while (spent := time.process_time() - begun) < 0.5:
        _ = left @ right
        count += 1
    # By the time of all threads, so it is the speed of one core.
    return Machine(len(os.sched_getaffinity(0)), 2.0 * 64 * 512 * 2048 * count / spent, has_bfloat16())


def sizes(seen: Look, found: Guess, minutes: float, machine: Machine) -> Sections:
    """Returns the sections of a recipe that are about sizes: section -> field -> value.

    Args:
        seen: The corpus.
        found: What is learnt from it.
        minutes: Time of the whole run.
        machine: What it runs on.
    """
    plan = {"generate": _generate, "translate": _pairs, "summarize": _pairs, "classify": _classify}
    plan |= {"answer": _answer, "transcribe": _transcribe}
    sections = plan[found.task](seen, found)
    training = dict(sections["training"])
    cost, epoch, most_epochs = training.pop("step_flops"), training.pop("epoch_steps"), training.pop("most_epochs")
    seconds = max(60.0, minutes * 60 - OVERHEAD_SECONDS) * SHARE
    affordable = seconds * machine.flops * _EFFICIENCY * machine.cores / cost
    steps = int(max(50, min(affordable, most_epochs * epoch)))
    every = max(10, steps // 10)
    settled = {
        "steps": steps,
        **training,
        "precision": "bfloat16" if machine.bfloat16 else "float32",
        "warmup": max(5, steps // 20),
        "evaluate_every": every,
        "checkpoint_every": every,
        "workers": machine.cores if found.task in ("generate", "translate", "summarize") and machine.cores < 3 else 1,
    }
    settled["threads"] = max(1, machine.cores // settled["workers"])
    return {**sections, "training": settled}


_PIECES = ((4_000_000, 8000), (1_500_000, 4000), (400_000, 2000), (80_000, 1000), (20_000, 500))
"""Characters of a text at least -> pieces of its vocabulary."""
_BYTES = 260
"""Pieces that every vocabulary has."""


def vocabulary(seen: Look, found: Guess) -> dict[str, Any]:
    """Returns the vocabulary of a corpus: as many pieces as there is text to learn of, with room for its letters."""
    columns = [seen.columns[name] for name in (found.source, found.target, found.question) if name is not None]
    texts = [one for one in columns if one.kind in ("text", "texts")]
    if all(one.closed for one in texts):
        return {"algorithm": "word", "vocabulary": 20_000}
    size = next((size for least, size in _PIECES if seen.characters >= least), 300)
    # The rows that were looked at do not have every letter.
    least = _BYTES + 3 * max(one.letters for one in texts) // 2 + 100
    return {"vocabulary": max(size, -(-least // 100) * 100)}


def _length(words: int, most: int, least: int = 16) -> int:
    """Returns how many tokens hold a text of so many words, in steps of 16."""
    return int(min(most, max(least, -(-words * 3 // 2 // 16) * 16)))


def _generate(seen: Look, found: Guess) -> dict[str, dict[str, Any]]:
    words, large = vocabulary(seen, found), seen.characters > 3_000_000
    embedding, units, batch, window = (256, 512, 32, 64) if large else (128, 256, 16, 48)
    flops = 6 * (4 * (embedding + units) * units + embedding * units + embedding * words["vocabulary"])
    tokens = seen.characters / 3.5
    return {
        "tokenizer": words,
        "examples": {"window": window},
        "model": {"embedding": embedding, "units": units, "layers": 1, "dropout": 0.25 if large else 0.4},
        "training": {
            "batch": batch,
            "learning_rate": 0.003 if large else 0.005,
            "weight_decay": 0.05,
            "ema": 0.998 if large else 0.99,
            "step_flops": flops * batch * window,
            "epoch_steps": max(1.0, tokens / (batch * window)),
            "most_epochs": 12 if large else 30,
        },
    }


def _pairs(seen: Look, found: Guess) -> dict[str, dict[str, Any]]:
    assert found.target is not None
    source, target = seen.columns[found.source], seen.columns[found.target]
    words, large = vocabulary(seen, found), seen.characters > 1_000_000
    embedding, units, tokens = (256, 512, 2048) if large else (128, 256, 1024)
    longest = _length(source.longest, 320), _length(target.longest, 128)
    batch = max(tokens, 4 * sum(longest))
    flops = (
        6
        * (8 * (embedding + units // 2) * units // 2 + 4 * (embedding + units) * units + units * words["vocabulary"])
        / 2
    )
    return {
        "tokenizer": words,
        "examples": {"max_source": longest[0], "max_target": longest[1]},
        "model": {
            "embedding": embedding,
            "units": units,
            "encoder_units": units // 2,
            "encoder_layers": 1,
            "dropout": 0.1 if seen.rows > 50_000 else 0.3,
        },
        "training": {
            "batch_tokens": batch,
            "learning_rate": 0.003,
            "label_smoothing": 0.1,
            "ema": 0.998,
            "step_flops": flops * batch,
            "epoch_steps": max(1.0, seen.rows * 1.5 * (source.words + target.words) / batch),
            "most_epochs": 12 if seen.rows > 50_000 else 30,
        },
        "decoding": {"max_tokens": longest[1]},
    }


def _classify(seen: Look, found: Guess) -> dict[str, dict[str, Any]]:
    longest, spans = _length(seen.columns[found.source].longest, 256), found.label_kind == "tokens"
    flops = 6 * 2 * 4 * (128 + 64) * 64
    return {
        "task_options": {} if spans else {"ngrams": 2, "ngram_buckets": 100_000, "pooled_dropout": 0.5},
        "tokenizer": {"algorithm": "word", "vocabulary": 20_000},
        "examples": {"max_source": longest},
        "model": {"embedding": 128, "encoder_units": 64, "dropout": 0.4, "embedding_dropout": 0.1},
        "training": {
            "batch": 64,
            "learning_rate": 0.003,
            "ema": 0.99,
            "metric": "accuracy",
            "step_flops": flops * 64 * longest * 4,  # small products of matrices
            "epoch_steps": max(1.0, seen.rows / 64),
            "most_epochs": 20 if spans else 8,
        },
    }


def _answer(seen: Look, found: Guess) -> dict[str, dict[str, Any]]:
    passage = seen.columns[found.source]
    longest = _length(passage.longest, 320, 96)
    large = seen.rows > 1000 and passage.words > 40
    width = 96 if large else 32
    return {
        "task_options": {"max_answer": 24 if large else 8, "stride": max(16, (longest - 48) // 2)},
        "tokenizer": vocabulary(seen, found),
        "examples": {"max_source": longest},
        "model": {
            "embedding": 128 if large else 32,
            "encoder_units": width,
            "encoder_layers": 1,
            "units": width,
            "layers": 1,
            "dropout": 0.3 if large else 0.1,
        },
        "training": {
            "batch": 32,
            "learning_rate": 0.002 if large else 0.005,
            "ema": 0.995,
            "metric": "f1",
            "step_flops": 6 * 40 * width * width * 32 * longest * 2,
            "epoch_steps": max(1.0, seen.rows / 32),
            "most_epochs": 15,
        },
    }


def _transcribe(seen: Look, found: Guess) -> dict[str, dict[str, Any]]:
    return {
        "task_options": {"rate": 8000, "mels": 40, "stack": 5, "stride": 3, "augment": {"noise": 0.2}},
        "tokenizer": {"algorithm": "character", "vocabulary": 1000},
        "model": {"encoder_units": 96, "encoder_layers": 2, "dropout": 0.3},
        "training": {
            "batch": 32,
            "learning_rate": 0.005,
            "ema": 0.995,
            "metric": "wer",
            "step_flops": 6 * 2 * 8 * (200 + 96) * 96 * 32 * 60 * 4,
            "epoch_steps": max(1.0, seen.rows / 32),
            "most_epochs": 60,
        },
        "decoding": {"batch": 16},
    }
