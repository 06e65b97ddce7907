"""Batch decoding: the engine against the best plain PyTorch loop, at the same shapes, on one core; and whole jobs.

`make bench-infer` trains translate_en_fr (once) and measures the engine, what int8 costs in quality, and jobs
(`infer_jobs.py`); `PARTS="engine"` does a part of it, `RUN=DIR` takes a finished run, `QUICK=1` trains for a minute,
decodes fewer records, and leaves out long-tailed lengths, quality, jobs in float32 and on two processes.

The engine: both sides have the same weights and inputs and decode the same number of tokens for every record. The peer
is the fastest of float32, bfloat16 and dynamic int8, in length-sorted batches of 64. Each side is a process of its own
that stays up, on the same core; they take turns, and the medians are compared. Time is processor time: each side
computes in one thread, and what else runs on the machine counts for neither.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
from pathlib import Path
from typing import Any

import environments
import infer_jobs
import infer_model
import infer_work
import table

ROOT = Path(__file__).resolve().parents[1]

WORK = ROOT / "build" / "bench" / "infer.npz"

BAR = 1.5
METHODS = ("greedy", "beam")


class Side:
    """A process that decodes on request."""

    def __init__(self, name: str, command: list[str], core: int) -> None:
        self.name = name
        environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path])}
        if "peers" in command[0]:
            environment.pop("PYTHONPATH")
        self._process = subprocess.Popen(
            ["taskset", "-c", str(core), *command], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            env=environment, cwd=ROOT,
        )  # fmt: skip
        self._answer()

    def decode(self, mix: str, method: str) -> dict[str, Any]:
        assert self._process.stdin is not None
        print(mix, method, file=self._process.stdin, flush=True)
        return self._answer()

    def _answer(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise SystemExit(f"{self.name} ended with {self._process.wait()}")
        return json.loads(line)

    def close(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait()


def measure(sides: dict[str, Side], mix: str, method: str, rounds: int) -> dict[str, float]:
    """Lets the sides take turns; returns the median tokens per second of each."""
    speeds: dict[str, list[float]] = {name: [] for name in sides}
    for turn in range(rounds + 1):
        for name, side in sides.items():
            found = side.decode(mix, method)
            if turn:  # the first is to warm up
                speeds[name].append(found["tokens"] / found["seconds"])
    return {name: statistics.median(values) for name, values in speeds.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--run", type=Path, help="Folder of a finished translate_en_fr run; absent: it is trained first."
    )
    parser.add_argument(
        "--corpora", type=Path, default=os.environ.get("LSTMLM_CORPORA", ROOT.parent / "shared/corpora")
    )
    parser.add_argument("--core", type=int, default=max(os.sched_getaffinity(0)))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--rows", type=int, default=64, help="Rows of the engine.")
    parser.add_argument("parts", nargs="*", default=["engine", "quality", "jobs"], help="engine, quality, jobs")
    arguments = parser.parse_args()
    quick, corpora = bool(os.environ.get("QUICK")), Path(arguments.corpora).resolve()
    os.environ["LSTMLM_CORPORA"] = str(corpora)
    model = infer_model.of_run(arguments.run) if arguments.run else infer_model.trained(corpora, quick=quick)
    rows = []
    if "engine" in arguments.parts:
        rows += engine(model.export, corpora, arguments, quick=quick)
    if "quality" in arguments.parts and not quick:  # a model that was trained for a minute has none
        rows += [*infer_jobs.quality(model), infer_jobs.agreement(model)]
    if "jobs" in arguments.parts:
        sizes = infer_jobs.QUICK if quick else infer_jobs.FULL
        jobs = infer_jobs.Jobs(corpora, model.export, sizes, arguments.core)
        found = [*jobs.against_plain(), *jobs.against_bare(), *([] if quick else [jobs.processes()])]
        # Jobs of seconds are mostly their start, so quick ones are held against no bar.
        rows += [line | {"bar": None, "holds": None} for line in found] if quick else found
    table.publish("infer", rows)


def engine(export: Path, corpora: Path, arguments: argparse.Namespace, *, quick: bool) -> list[dict[str, Any]]:
    """Measures the engine compared with PyTorch; every side decodes the same number of tokens of every record."""
    count, rounds = (160, 1) if quick else (1024, arguments.rounds)
    mixes = {"tatoeba": infer_work.tatoeba(corpora, count)}
    if not quick:
        mixes["long_tail"] = infer_work.long_tail(count)
    infer_work.save(WORK, weights_of(export), mixes)
    peer = str(environments.peer_python("torch", environments.TORCH))
    ours = [sys.executable, "benchmarks/infer_ours.py", str(WORK)]
    sides = {
        f"ours {kind}": Side(kind, [*ours, kind, str(arguments.rows)], arguments.core) for kind in ("int8", "float32")
    }
    for kind in ("float32", "bfloat16", "int8"):
        sides[f"torch {kind}"] = Side(kind, [peer, "benchmarks/peers/torch_infer.py", str(WORK), kind], arguments.core)
    rows = [compare(sides, mix, method, rounds) for mix in mixes for method in METHODS]
    for side in sides.values():
        side.close()
    return rows


def weights_of(export: Path) -> dict[str, infer_work.Array]:
    import numpy as np

    with np.load(export / "weights.npz", allow_pickle=False) as arrays:
        return infer_work.endless({name.replace("|", "/"): arrays[name] for name in arrays.files})


def compare(sides: dict[str, Side], mix: str, method: str, rounds: int) -> dict[str, Any]:
    """Measures a mix and returns its row: ours in int8 against the best of the peer."""
    same = agreement(sides["ours float32"], sides["torch float32"], mix)
    speeds = measure(sides, mix, method, rounds)
    best = max((name for name in speeds if name.startswith("torch")), key=lambda name: speeds[name])
    print({name: round(speed) for name, speed in speeds.items()}, f"same float32 outputs: {same:.0%}", flush=True)
    name = f"{mix}, {method}: target tokens/s, int8 compared with {best}"
    return table.row(
        name, speeds["ours int8"], peer=speeds[best], ratio=speeds["ours int8"] / speeds[best], bar=BAR, digits=2
    )


def agreement(ours: Side, peer: Side, mix: str) -> float:
    """Returns the share of greedy outputs that are the same in float32: that both compute the same network."""
    one, other = ours.decode(mix, "greedy")["first"], peer.decode(mix, "greedy")["first"]
    return sum(left == right for left, right in zip(one, other, strict=True)) / len(one)


if __name__ == "__main__":
    main()
