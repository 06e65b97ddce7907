"""Whole batch jobs, compared with a plain RunInference job, the bare engine, one process, and a tenth of the input.

Start-up is left out by running every job twice, with few records and with many: what counts is the difference.
"""

from __future__ import annotations

import dataclasses
import functools
import json
import os
import random
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from infer_model import Trained
from processes import Ran, pinned, timed
from table import Row, row

ROOT = Path(__file__).resolve().parents[1]
WORK = ROOT / "build" / "bench" / "infer-jobs"
RECIPE = "pipelines/recipes/translate_en_fr.yaml"


@dataclasses.dataclass(frozen=True)
class Sizes:
    """Records of the jobs: `few` to take start-up away, the others by what they are held against."""

    few: int
    plain: int
    many: int


FULL, QUICK = Sizes(512, 8192, 100_000), Sizes(64, 512, 2048)


def texts(corpora: Path, count: int) -> Path:
    """Writes a file of sentences drawn from the train split of tatoeba_en_fr; returns it."""
    path = WORK / f"in-{count}.jsonl"
    draw = random.Random(1)
    lines = (corpora / "tatoeba_en_fr" / "train.tsv").read_text(encoding="utf-8").splitlines()[1:]
    sentences = sorted({line.split("\t")[0] for line in lines})
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8") as stream:
        for number in range(count):
            stream.write(json.dumps({"text": draw.choice(sentences), "id": f"r{number}"}) + "\n")
    return path


def ours(export: Path, source: Path, cores: set[int], *options: str, precision: str = "int8") -> Ran:
    """Runs `lstmlm infer`."""
    output = WORK / "out"
    shutil.rmtree(output, ignore_errors=True)
    command = [sys.executable, "-m", "lstmlm", "infer", RECIPE, "--export", export, "--input", source]
    return timed([*command, "--set", "inference.id=id", *decoded(precision=precision), "-o", output, *options], cores)


def decoded(**fields: str) -> list[str]:
    """Returns the options of a command that is to decode so."""
    return [word for name, value in fields.items() for word in ("--set", f"decoding.{name}={value}")]


def plain(export: Path, source: Path, cores: set[int]) -> Ran:
    """Runs the plain RunInference job."""
    return timed([sys.executable, "benchmarks/peers/plain_run_inference.py", export, source, WORK / "plain"], cores)


def bare(export: Path, source: Path, cores: set[int]) -> float:
    """Returns the records per second of the engine without Beam, in a separate process."""
    command = [sys.executable, "benchmarks/infer_bare.py", str(export), str(source)]
    found = subprocess.run(command, capture_output=True, text=True, check=True, **pinned(cores))
    return float(found.stdout.splitlines()[-1])


@dataclasses.dataclass(frozen=True)
class Jobs:
    """Measures jobs.

    Attributes:
        corpora: Folder of the corpora.
        export: The model.
        sizes: How many records.
        core: The core of jobs that get one.
    """

    corpora: Path
    export: Path
    sizes: Sizes
    core: int

    def against_plain(self) -> list[Row]:
        """Compared with a plain RunInference job on the same SavedModel."""
        few, some = texts(self.corpora, self.sizes.few), texts(self.corpora, self.sizes.plain)

        def rate(job: Callable[[Path, Path, set[int]], Ran]) -> float:
            small, large = (job(self.export, source, {self.core}) for source in (few, some))
            return self._rate(self.sizes.plain, large, small)

        peer, mine = rate(plain), {"int8": rate(ours)}
        if self.sizes is not QUICK:
            mine["float32"] = rate(functools.partial(ours, precision="float32"))
        return [
            row(
                f"lstmlm infer, {kind}: records/s, compared with plain RunInference",
                found,
                peer=peer,
                ratio=found / peer,
                bar=4,
            )
            for kind, found in mine.items()
        ]

    def against_bare(self) -> list[Row]:
        """Compared with the engine without Beam; and the memory of a job compared with that of a tenth of it."""
        count, cores = self.sizes.many, {self.core}
        engine = bare(self.export, texts(self.corpora, count), cores)
        few, tenth, whole = (
            ours(self.export, texts(self.corpora, n), cores) for n in (self.sizes.few, count // 10, count)
        )
        job, peaks = self._rate(count, whole, few), (whole.peak / 1e6, tenth.peak / 1e6)
        speed = f"{count:,} records, int8: records/s, compared with the bare engine"
        memory = f"peak MB with {count:,} records, compared with {count // 10:,}"
        return [
            row(speed, job, peer=engine, ratio=job / engine, bar=0.9),
            row(memory, peaks[0], peer=peaks[1], ratio=peaks[0] / peaks[1], bar=1.1, at_most=True),
        ]

    def processes(self) -> Row:
        """Two worker processes compared with one."""
        few, many = texts(self.corpora, self.sizes.few), texts(self.corpora, self.sizes.many)

        def rate(workers: int, cores: set[int]) -> float:
            options = ("--runner", "processes", "--workers", str(workers))
            small, large = (ours(self.export, source, cores, *options) for source in (few, many))
            return self._rate(self.sizes.many, large, small)

        one, two = rate(1, {self.core}), rate(2, os.sched_getaffinity(0))
        return row("two processes: records/s, compared with one", two, peer=one, ratio=two / one, bar=1.7)

    def _rate(self, count: int, large: Ran, small: Ran) -> float:
        return (count - self.sizes.few) / (large.seconds - small.seconds)


def quality(model: Trained) -> list[Row]:
    """BLEU on valid in int8 and float32, greedy and beam 5."""
    rows = []
    for method in ("greedy", "beam"):
        found = [_bleu(model, method, precision) for precision in ("int8", "float32")]
        name = f"sacreBLEU on valid, {method}: int8 compared with float32 (ratio: what is lost)"
        rows.append(row(name, found[0], peer=found[1], ratio=found[1] - found[0], bar=0.3, at_most=True, digits=2))
    return rows


def agreement(model: Trained) -> Row:
    """The share of the valid split's sources with the same greedy output from both backends, in float32."""
    outputs = []
    for backend in ("onnx", "tensorflow"):
        output = WORK / "agreement"
        shutil.rmtree(output, ignore_errors=True)
        command = [sys.executable, "-m", "lstmlm", "infer", RECIPE, "--export", model.export]
        command += ["--records", model.records, "-o", output, "--set", "inference.max_records=null"]
        timed([*command, *decoded(backend=backend, precision="float32")], os.sched_getaffinity(0))
        files = sorted(output.glob("predictions-*.jsonl"))
        outputs.append([line for file in files for line in file.read_text(encoding="utf-8").split("\n")[:-1]])
    same = sum(one == other for one, other in zip(*outputs, strict=True)) / len(outputs[0])
    return row("valid, greedy, float32: share of outputs that ONNX and TensorFlow share", same, bar=0.99, digits=4)


def _bleu(model: Trained, method: str, precision: str) -> float:
    output = WORK / "evaluation"
    shutil.rmtree(output, ignore_errors=True)
    command = [sys.executable, "-m", "lstmlm", "evaluate", RECIPE, "--export", model.export]
    command += ["--records", model.records, "-o", output, *decoded(method=method, precision=precision)]
    subprocess.run(list(map(str, command)), cwd=ROOT, capture_output=True, env=os.environ | {"PYTHONPATH": str(ROOT)})
    verdict = json.loads((output / "metrics.json").read_text(encoding="utf-8"))
    return float(verdict["metrics"]["bleu"])
