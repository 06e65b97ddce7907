"""Stages on an object store, compared with the same on a disk: bytes, speed, faults of the store, kills, two at once.

`make bench-store`; QUICK=1: less data and fewer kills, within five minutes. The store is a real S3 server (moto) on
this machine, so its CPU counts against the jobs. Every stage runs in a fork of a process that has imported everything.
"""

from __future__ import annotations

import json
import os
import random
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from documents import documents
from faulty_store import faulty
from stage_runs import RECIPE, Inputs, Run, contents, forked, prepare
from store_server import client, keys, served
from table import Row, publish, row

from lstmlm.progress import Silent
from lstmlm.publish.folder import publish as publish_folder
from lstmlm.publish.folder import read_manifest
from lstmlm.recipe.file import parse_recipe
from lstmlm.recipe.recipe import Recipe
from lstmlm.storage import StorePath, leases

QUICK = os.environ.get("QUICK") == "1"
CORPUS_BYTES = 4_000_000 if QUICK else 40_000_000
PROMPTS = 3_000 if QUICK else 30_000
KILLS = 6 if QUICK else 100
BUCKET = "bench"
ROOT = StorePath(f"s3://{BUCKET}")
ENDPOINT = "AWS_ENDPOINT_URL"


def sent(folder: Path, target: StorePath) -> None:
    """Publishes a finished folder in the store."""
    manifest = read_manifest(folder)
    with publish_folder(target, manifest.kind, manifest.fingerprint) as draft:
        draft.facts = manifest.facts
        for name in manifest.files:
            (draft.path / name).write_bytes((folder / name).read_bytes())


def recipe(root: str, output: Path) -> Recipe:
    """Returns the recipe of the tiny run, with its corpus and prompts in a folder or in the store."""
    return parse_recipe(RECIPE, "tiny", [f"corpus.root={root}", f"output={output}", "decoding.max_tokens=24"])


def ingest_at(root: str, output: Path) -> Callable[[], object]:
    """Returns what ingests the corpus of a folder or of the store."""
    from lstmlm.corpus.ingest import ingest

    return lambda: ingest(recipe(root, Path("runs")), output, Silent())


def infer_at(root: str, export: Path, output: Path) -> Callable[[], object]:
    """Returns what decodes the prompts of a folder or of the store."""
    from lstmlm.inference.run import infer

    return lambda: infer(recipe(root, Path("runs")), export, output, Silent())


def silently_forked(work: Callable[[], object], log: Path) -> Run:
    """As `forked`, for work that reports nothing before its end."""
    return forked(lambda _: work(), log)


def timed(work: Callable[[], object], log: Path) -> float:
    """Returns the seconds of something in a fork.

    Raises:
        SystemExit: It failed.
    """
    began = time.monotonic()
    if silently_forked(work, log).finish() != 0:
        raise SystemExit(f"failed without any fault:\n{log.read_text()[-3000:]}")
    return time.monotonic() - began


class Bench:
    """The corpus, the prompts and the model, in a folder and in the store, and what each stage gives on a disk."""

    def __init__(self, folder: Path, inputs: Inputs, endpoint: str) -> None:
        self.folder, self.endpoint, self.log = folder, endpoint, folder / "log.txt"
        self.root = str(ROOT / "in")
        (folder / "in").mkdir()
        with (folder / "in" / "text.jsonl").open("w", encoding="utf-8") as stream:
            for one in documents(CORPUS_BYTES, 1):
                stream.write(json.dumps({"text": one.text, "id": one.id}) + "\n")
        prompts = (inputs.folder / "prompts.jsonl").read_text().splitlines()
        lines = (prompts[number % len(prompts)] for number in range(PROMPTS))
        (folder / "in" / "prompts.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
        for name in ("text.jsonl", "prompts.jsonl"):
            client().upload_file(str(folder / "in" / name), BUCKET, f"in/{name}")
        os.environ["LSTMLM_CACHE"] = str(folder / "cache")
        self.export = inputs.folder / "export"
        timed(lambda: sent(self.export, ROOT / "export"), self.log)

    def work(self, stage: str, output: Path) -> Callable[[], object]:
        """Returns what runs a stage from and to where the output is."""
        stored = isinstance(output, StorePath)
        root = self.root if stored else str(self.folder / "in")
        if stage == "ingest":
            return ingest_at(root, output)
        return infer_at(root, ROOT / "export" if stored else self.export, output)

    def compared(self, stage: str) -> list[Row]:
        """Compares bytes and speed; the local output is what later rows are compared with."""
        here, there = self.folder / stage, ROOT / stage
        local = [timed(self.work(stage, here), self.log)]
        stored = [timed(self.work(stage, there), self.log)]
        for number in range(0 if QUICK else 2):  # by turns, so that both meet the same machine
            local.append(timed(self.work(stage, self.folder / f"{stage}-{number}"), self.log))
            stored.append(timed(self.work(stage, ROOT / f"{stage}-{number}"), self.log))
        same = self.in_fork(lambda: contents(there) == contents(here))
        mine, peer = sorted(stored)[len(stored) // 2], sorted(local)[len(local) // 2]
        return [
            row(f"{stage}: digests as on a disk (1: the same)", float(same), bar=1),
            row(f"{stage} on s3://, seconds, compared with a disk", mine, peer=peer, ratio=peer / mine, bar=0.7),
        ]

    def in_fork(self, check: Callable[[], bool]) -> bool:
        """Returns what a check gives, in a fork: a process with threads of a client should not be forked."""

        def work() -> None:
            if not check():
                raise AssertionError("not so")

        return silently_forked(work, self.log).finish() == 0

    def faults(self, stage: str) -> list[Row]:
        """A tenth of the requests refused, and others reset before and in the middle of an answer."""
        found = []
        for name, shares in (
            ("10 % refused", {"refused": 0.1}),
            ("5 % reset in mid-body, 2 % after the request", {"cut": 0.05, "reset": 0.02}),
        ):
            output = ROOT / f"faulty-{stage}-{len(found)}"
            with faulty(self.endpoint, **shares) as proxy:
                os.environ[ENDPOINT] = proxy.url
                try:
                    ended = silently_forked(self.work(stage, output), self.log).finish() == 0
                finally:
                    os.environ[ENDPOINT] = self.endpoint
                made = sum(proxy.faults.values())
            same = ended and self.in_fork(lambda output=output: contents(output) == contents(self.folder / stage))
            found.append(row(f"{stage}, {name}: {made} faults; the same digests", float(same), bar=1))
        return found

    def kills(self, stage: str, seconds: float) -> list[Row]:
        """Kills a stage at random moments and runs it again until it ends; then sweeps."""
        draw, wrong, left = random.Random(5), 0, 0
        for number in range(KILLS // 2):
            output = ROOT / "killed" / f"{stage}-{number}"
            run = silently_forked(self.work(stage, output), self.log)
            run.wait_until(time.monotonic() + draw.uniform(0, 1.1) * seconds)
            run.kill()
            ended = self.until_ended(stage, output)
            wrong += not (ended and self.in_fork(lambda output=output: self.same(output, stage)))
        self.in_fork(lambda: self.swept(ROOT / "killed"))
        named = {f"killed/{stage}-{number}/" for number in range(KILLS // 2)}
        kept = keys(BUCKET, f"killed/{stage}-") + keys(BUCKET, f"killed/.{stage}-")
        attempts = {key.rpartition("/")[0] for key in kept if "/attempt-" in key and key.count("/") == 3}
        left = sum(not any(key.startswith(name) for name in named) for key in kept) + max(0, len(attempts) - len(named))
        return [
            row(f"{stage}: {KILLS // 2} kills, other bytes or failures", wrong, bar=0, at_most=True),
            row(f"{stage}: objects left after a sweep", left, bar=0, at_most=True),
        ]

    def same(self, output: Path, stage: str) -> bool:
        """Says whether an output has the digests of the one on a disk."""
        return contents(output) == contents(self.folder / stage)

    def until_ended(self, stage: str, output: Path) -> bool:
        """Runs the same command until it does not say that another process is at work: a lease has to expire."""
        for _ in range(60):
            code = silently_forked(self.work(stage, output), self.log).finish()
            if code != 75:
                return code == 0
            time.sleep(2)
        return False

    def swept(self, folder: StorePath) -> bool:
        """Sweeps as after a grace time of an hour, an hour later."""
        from lstmlm.publish import store_sweep

        plain = store_sweep.now
        store_sweep.now = lambda folder: plain(folder) + 7200  # type: ignore[assignment]
        store_sweep.sweep_store(folder, 3600)
        return True

    def at_once(self, stage: str) -> list[Row]:
        """Two processes start the same job with the same output at once."""
        output = ROOT / "at-once" / stage
        runs = [silently_forked(self.work(stage, output), self.folder / f"log-{number}.txt") for number in range(2)]
        codes = sorted(run.finish() for run in runs)
        same = self.in_fork(lambda: self.same(output, stage))
        fine = same and codes in ([0, 75], [0, 0])
        return [row(f"{stage}: two at once; one works, the other is refused or finds it made", float(fine), bar=1)]


def main() -> None:
    """See the module."""
    with tempfile.TemporaryDirectory(prefix="lstmlm-store-") as name:
        folder = Path(name)
        inputs = prepare(folder / "inputs")
        leases.EXPIRES, leases.BEATS = 5.0, 1.0  # not a minute to wait for after each kill
        with served(BUCKET) as endpoint:
            bench = Bench(folder, inputs, endpoint)
            rows: list[Row] = []

            def add(found: list[Row]) -> None:
                rows.extend(found)
                print(*(f"{one['row']}: {one['ours']} (holds: {one['holds']})" for one in found), sep="\n", flush=True)

            for stage in ("ingest", "infer"):
                add(bench.compared(stage))
            for stage in ("ingest", "infer"):
                seconds = next(one["ours"] for one in rows if one["row"].startswith(f"{stage} on s3://"))
                add(bench.faults(stage))
                add(bench.kills(stage, seconds))
                add(bench.at_once(stage))
        publish("store", rows)


if __name__ == "__main__":
    main()
