"""Chooses sizes and steps of a recipe that fit the corpus, the processor and the time given."""

from __future__ import annotations

import dataclasses
import os
import time

import numpy as np

from lstmlm.cli.init.look import Look
from lstmlm.cli.init.plan import Guess, Sections, plan

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
    size = plan(found.task).size(seen, found)
    seconds = max(60.0, minutes * 60 - OVERHEAD_SECONDS) * SHARE
    affordable = seconds * machine.flops * _EFFICIENCY * machine.cores / size.step_flops
    steps = int(max(50, min(affordable, size.most_epochs * size.epoch_steps)))
    every = max(10, steps // 10)
    workers = machine.cores if size.shared_out and machine.cores < 3 else 1
    training = {
        "steps": steps,
        **size.sections["training"],
        "precision": "bfloat16" if machine.bfloat16 else "float32",
        "warmup": max(5, steps // 20),
        "evaluate_every": every,
        "checkpoint_every": every,
        "workers": workers,
        "threads": max(1, machine.cores // workers),
    }
    return {**size.sections, "training": training}
