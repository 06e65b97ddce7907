"""Training speed beside plain PyTorch at the same shape and with the same threads, and the quality it buys.

`make bench-train` measures everything; `ROWS="steps wikitext2"` these parts alone:

- `steps`: steps of a language model (2 x 512, vocabulary 8,000, batch 32 x 35) in float32 and bfloat16, ours and
  PyTorch's in turn: medians, peak memory, and how near the chip's matrix products they come.
- `wikitext2`, `translate`, `wikitext2_90`, `translate_60`: what minutes of training buy, see `train_quality.py`. All
  four train for about four hours.

`QUICK=1` measures `steps` alone, and fewer of them, which ends within five minutes; rows that `ROWS` names then train
for seconds instead of minutes, and are not judged. `RECIPES="wikitext2"` trains these recipes as well. PyTorch lives in
an environment of its own below `build/peers/torch`, which this command makes.
"""

from __future__ import annotations

import functools
import json
import os
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import train_quality
from environments import TORCH, peer_python
from table import Row, publish, row

ROOT = Path(__file__).resolve().parents[1]

Result = dict[str, float]


def steps(python: Path, script: str, **arguments: object) -> Result:
    """Runs one of the step scripts in a process of its own and returns what it measured."""
    words = [word for name, value in arguments.items() for word in (f"--{name}", str(value))]
    environment = os.environ | {"OMP_NUM_THREADS": str(arguments["threads"]), "PYTHONPATH": str(ROOT)}
    environment |= {"CUDA_VISIBLE_DEVICES": "-1"}
    command = [str(python), str(ROOT / "benchmarks" / script), *words]
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{script}: {done.stderr[-2000:]}")
    result: Result = json.loads(done.stdout.splitlines()[-1])
    return result


def workers(count: int, precision: str, measured: int) -> Result:
    """Runs steps on several workers with a core each, which share the batch; returns what the first one measured."""
    cores = sorted(os.sched_getaffinity(0))
    probes = [socket.socket() for _ in range(count)]
    for probe in probes:
        probe.bind(("127.0.0.1", 0))
    hosts = [f"127.0.0.1:{probe.getsockname()[1]}" for probe in probes]
    for probe in probes:
        probe.close()
    command = [sys.executable, str(ROOT / "benchmarks" / "train_steps.py"), "--threads", "1"]
    command += ["--steps", str(measured), "--precision", precision]
    environment = os.environ | {"PYTHONPATH": str(ROOT), "CUDA_VISIBLE_DEVICES": "-1", "OMP_NUM_THREADS": "1"}
    running = []
    for rank in range(count):
        place = {"cluster": {"worker": hosts}, "task": {"type": "worker", "index": rank}}
        extra = {"TF_CONFIG": json.dumps(place)} if count > 1 else {}
        running.append(
            subprocess.Popen(
                ["taskset", "-c", str(cores[rank]), *command],
                env=environment | extra,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
        )
    outputs = [process.communicate() for process in running]
    if any(process.returncode for process in running):
        raise SystemExit(f"{count} workers: {outputs[0][1][-2000:]}")
    result: Result = json.loads(outputs[0][0].splitlines()[-1])
    return result


def product_rate(threads: int, precision: str) -> float:
    """Returns the chip's rate of a plain 1024 x 1024 x 4096 product in GFLOP/s: the roof over the steps."""
    program = f"""
import time, tensorflow as tf
tf.config.threading.set_intra_op_parallelism_threads({threads})
a, b = (tf.cast(tf.random.normal(s), "{precision}") for s in ([1024, 4096], [4096, 1024]))
times = []
for _ in range(12):
    t = time.perf_counter(); tf.matmul(a, b).numpy(); times.append(time.perf_counter() - t)
print(2 * 1024 * 1024 * 4096 / min(times) / 1e9)
"""
    environment = os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": "-1"}
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True)
    return float(done.stdout.splitlines()[-1])


def flops_per_token(layers: int = 2, units: int = 512, vocabulary: int = 8000, projected: bool = True) -> float:
    """Returns the floating-point operations of forward and backward a token, counting the matrix products alone."""
    forward = 2 * (layers * 8 * units * units + units * vocabulary + (units * units if projected else 0))
    return 3.0 * forward


def measure(threads: int, rounds: int, count: int) -> dict[str, list[Result]]:
    """Runs ours and the peer's in turn; returns the results of each by `side precision`."""
    peer = peer_python("torch", TORCH)
    found: dict[str, list[Result]] = {}
    for _ in range(rounds):
        for precision in ("float32", "bfloat16"):
            for side, python, script in (
                ("ours", Path(sys.executable), "train_steps.py"),
                ("peer", peer, "train_steps_torch.py"),
            ):
                result = steps(python, script, threads=threads, steps=count, precision=precision)
                found.setdefault(f"{side} {precision}", []).append(result)
                print(f"{side} {precision}: {result['tokens_per_second']:,.0f} tokens/s", flush=True)
    return found


def rows(found: dict[str, list[Result]], threads: int) -> list[Row]:
    """Returns the rows of the table: speed and memory, ours beside the peer's."""

    def median(side: str, precision: str, key: str) -> float:
        return statistics.median(result[key] for result in found[f"{side} {precision}"])

    def best(side: str) -> float:
        return max(median(side, precision, "tokens_per_second") for precision in ("float32", "bfloat16"))

    speed = "tokens_per_second"
    pairs = [
        ("float32, tokens/s", median("ours", "float32", speed), median("peer", "float32", speed), 1.0),
        ("bfloat16, tokens/s", median("ours", "bfloat16", speed), median("peer", "bfloat16", speed), None),
        ("best precision of each, tokens/s", best("ours"), best("peer"), 1.2),
        ("peak MB, float32", median("ours", "float32", "peak_mb"), median("peer", "float32", "peak_mb"), -1.25),
        ("peak MB, bfloat16", median("ours", "bfloat16", "peak_mb"), median("peer", "bfloat16", "peak_mb"), -1.25),
    ]
    table = [_row(f"LM 2 x 512, {threads} threads: {name}", *numbers) for name, *numbers in pairs]
    for precision in ("float32", "bfloat16"):
        roof = product_rate(threads, precision)
        reached = median("ours", precision, speed) * flops_per_token() / 1e9
        table.append(_row(f"{precision}: GFLOP/s beside a plain product's", reached, roof, None))
    return table


def _row(name: str, ours: float, peer: float, bar: float | None) -> Row:
    """Returns one row; a negative bar is an upper one."""
    bound = None if bar is None else abs(bar)
    return row(name, ours, peer=peer, ratio=ours / peer, bar=bound, at_most=bar is not None and bar < 0)


def step_rows(quick: bool) -> list[Row]:
    """Measures steps, of one worker beside the peer and of two workers beside one."""
    threads = len(os.sched_getaffinity(0)) if os.environ.get("THREADS") is None else int(os.environ["THREADS"])
    found = measure(threads, rounds=1 if quick else 5, count=10 if quick else 30)
    table = rows(found, threads)
    for precision in ("float32", "bfloat16"):
        speeds: dict[int, list[float]] = {1: [], 2: []}
        for _ in range(1 if quick else 3):
            for count, found_speeds in speeds.items():
                found_speeds.append(workers(count, precision, 10 if quick else 30)["tokens_per_second"])
        one, two = (statistics.median(found_speeds) for found_speeds in speeds.values())
        table.append(_row(f"{precision}, tokens/s: two workers with a core each, beside one", two, one, 1.7))
    return table


PARTS: dict[str, Callable[[bool], list[Row]]] = {
    "steps": step_rows,
    **{name: functools.partial(train_quality.rows, name) for name in train_quality.PLANS},
}


def main() -> None:
    """Measures the parts, and prints and writes the rows after each: a later one may take an hour, or fail."""
    started = time.monotonic()
    quick = os.environ.get("QUICK") == "1"
    named = os.environ.get("ROWS", "").split() or (["steps"] if quick else list(PARTS))
    if unknown := [name for name in named if name not in PARTS]:
        raise SystemExit(f"no rows named {', '.join(unknown)}; there are: {', '.join(PARTS)}")
    table: list[Row] = []
    refused: list[str] = []
    for name in named:
        try:
            table += PARTS[name](quick)
        except train_quality.TookTooLong as error:
            refused.append(str(error))
        publish("train", table)
    print(f"{time.monotonic() - started:.0f} s")
    if recipes := os.environ.get("RECIPES", "").split():
        subprocess.run([sys.executable, str(ROOT / "benchmarks" / "recipes.py"), *recipes], check=True)
    if refused:
        raise SystemExit("no row: " + "; ".join(refused))


if __name__ == "__main__":
    main()
