"""Steps of a training run, ours and PyTorch's in turn: speed, memory, and how near the chip's products they come.

The rows `steps` of `benchmarks/train.py`. On a CPU both sides have the same threads, and two workers with a core each
are compared with one. With GPU=1 both sides run on a GPU with cuDNN's LSTM, in float32 and bfloat16, and where there
are two GPUs, two workers that sum by NCCL are compared with one.
"""

from __future__ import annotations

import json
import os
import socket
import statistics
import subprocess
import sys
from pathlib import Path

from environments import TORCH, peer_python
from table import Row, row

ROOT = Path(__file__).resolve().parents[1]
PRECISIONS = ("float32", "bfloat16")

Result = dict[str, float]


def steps(python: Path, script: str, *, gpu: bool, **arguments: object) -> Result:
    """Runs one of the step scripts in a process of its own and returns what it measured."""
    words = [word for name, value in arguments.items() for word in (f"--{name}", str(value))]
    words += ["--gpu"] if gpu else []
    environment = os.environ | {"OMP_NUM_THREADS": str(arguments["threads"]), "PYTHONPATH": str(ROOT)}
    environment |= {"CUDA_VISIBLE_DEVICES": "0" if gpu else "-1"}
    command = [str(python), str(ROOT / "benchmarks" / script), *words]
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{script}: {done.stderr[-2000:]}")
    result: Result = json.loads(done.stdout.splitlines()[-1])
    return result


def workers(count: int, precision: str, measured: int, *, gpu: bool) -> Result:
    """Runs steps on several workers with a core or a GPU each, which share the batch.

    Returns:
        What the first one measured.
    """
    cores = sorted(os.sched_getaffinity(0))
    probes = [socket.socket() for _ in range(count)]
    for probe in probes:
        probe.bind(("127.0.0.1", 0))
    hosts = [f"127.0.0.1:{probe.getsockname()[1]}" for probe in probes]
    for probe in probes:
        probe.close()
    command = [sys.executable, str(ROOT / "benchmarks" / "train_steps.py"), "--threads", "1"]
    command += ["--steps", str(measured), "--precision", precision]
    command += ["--gpu"] if gpu else []
    environment = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    running = []
    for rank in range(count):
        place = {"cluster": {"worker": hosts}, "task": {"type": "worker", "index": rank}}
        extra = {"TF_CONFIG": json.dumps(place)} if count > 1 else {}
        extra["CUDA_VISIBLE_DEVICES"] = str(rank) if gpu else "-1"
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


def product_rate(threads: int, precision: str, *, gpu: bool) -> float:
    """Returns the chip's rate of a plain matrix product in GFLOP/s: the roof over the steps.

    It is that of 1024 x 4096 by 4096 x 1024 on a CPU, and of 8192 x 8192 squared on a GPU.
    """
    outer, inner = (8192, 8192) if gpu else (1024, 4096)
    program = f"""
import time, tensorflow as tf
tf.config.threading.set_intra_op_parallelism_threads({threads})
a, b = (tf.cast(tf.random.normal(s), "{precision}") for s in ([{outer}, {inner}], [{inner}, {outer}]))
times = []
for _ in range(12):
    t = time.perf_counter(); tf.matmul(a, b)[0, 0].numpy(); times.append(time.perf_counter() - t)
print(2 * {outer} * {outer} * {inner} / min(times) / 1e9)
"""
    environment = os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": "0" if gpu else "-1"}
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True)
    return float(done.stdout.splitlines()[-1])


def flops_per_token(layers: int = 2, units: int = 512, vocabulary: int = 8000, projected: bool = True) -> float:
    """Returns the floating-point operations of forward and backward per token, counting only the matrix products."""
    forward = 2 * (layers * 8 * units * units + units * vocabulary + (units * units if projected else 0))
    return 3.0 * forward


def measure(threads: int, rounds: int, count: int, *, gpu: bool) -> dict[str, list[Result]]:
    """Runs ours and the peer's in turn; returns the results of each by `side precision`."""
    peer = peer_python("torch", TORCH)
    found: dict[str, list[Result]] = {}
    for _ in range(rounds):
        for precision in PRECISIONS:
            for side, python, script in (
                ("ours", Path(sys.executable), "train_steps.py"),
                ("peer", peer, "train_steps_torch.py"),
            ):
                result = steps(python, script, gpu=gpu, threads=threads, steps=count, precision=precision)
                found.setdefault(f"{side} {precision}", []).append(result)
                print(f"{side} {precision}: {result['tokens_per_second']:,.0f} tokens/s", flush=True)
    return found


def rows(found: dict[str, list[Result]], threads: int, *, gpu: bool) -> list[Row]:
    """Returns the rows of the table: speed and memory, ours and the peer's."""

    def median(side: str, precision: str, key: str) -> float:
        return statistics.median(result[key] for result in found[f"{side} {precision}"])

    def best(side: str) -> float:
        return max(median(side, precision, "tokens_per_second") for precision in PRECISIONS)

    speed = "tokens_per_second"
    pairs = [
        ("float32, tokens/s", median("ours", "float32", speed), median("peer", "float32", speed), 1.0),
        ("bfloat16, tokens/s", median("ours", "bfloat16", speed), median("peer", "bfloat16", speed), None),
        ("best precision of each, tokens/s", best("ours"), best("peer"), 1.2),
        ("peak MB, float32", median("ours", "float32", "peak_mb"), median("peer", "float32", "peak_mb"), -1.25),
        ("peak MB, bfloat16", median("ours", "bfloat16", "peak_mb"), median("peer", "bfloat16", "peak_mb"), -1.25),
    ]
    place = "GPU" if gpu else f"{threads} threads"
    table = [_row(f"LM 2 x 512, {place}: {name}", *numbers) for name, *numbers in pairs]
    for precision in PRECISIONS:
        roof = product_rate(threads, precision, gpu=gpu)
        reached = median("ours", precision, speed) * flops_per_token() / 1e9
        table.append(_row(f"{precision}: GFLOP/s, compared with a plain product's", reached, roof, None))
    return table


def _row(name: str, ours: float, peer: float, bar: float | None) -> Row:
    """Returns one row; a negative bar is an upper one."""
    bound = None if bar is None else abs(bar)
    return row(name, ours, peer=peer, ratio=ours / peer, bar=bound, at_most=bar is not None and bar < 0)


def gpus() -> int:
    """Returns how many GPUs TensorFlow finds."""
    program = "import tensorflow as tf; print(len(tf.config.list_physical_devices('GPU')))"
    environment = os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3"}
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True)
    return int(done.stdout.splitlines()[-1])


def step_rows(quick: bool) -> list[Row]:
    """Measures steps, of one worker compared with the peer, and of two workers compared with one."""
    gpu = os.environ.get("GPU") == "1"
    places = gpus() if gpu else len(os.sched_getaffinity(0))
    if places == 0:
        raise SystemExit("GPU=1: TensorFlow finds no GPU. Install tensorflow[and-cuda], or leave GPU=1 out")
    threads = int(os.environ.get("THREADS", len(os.sched_getaffinity(0))))
    table = rows(measure(threads, 1 if quick else 5, 10 if quick else 30, gpu=gpu), threads, gpu=gpu)
    if gpu and places == 1:
        print("one GPU: no rows of two workers", flush=True)
        return table
    for precision in PRECISIONS:
        speeds: dict[int, list[float]] = {1: [], 2: []}
        for _ in range(1 if quick else 3):
            for count, found_speeds in speeds.items():
                result = workers(count, precision, 10 if quick else 30, gpu=gpu)
                found_speeds.append(result["tokens_per_second"])
        one, two = (statistics.median(found_speeds) for found_speeds in speeds.values())
        each = "GPU" if gpu else "core"
        table.append(_row(f"{precision}, tokens/s: two workers with a {each} each, compared with one", two, one, 1.7))
    return table
