"""The batch job with its input, its model and its output in a store: the digests of one on a disk."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from faulty_store import faulty

from lstmlm.errors import TryAgain, UserError
from lstmlm.inference import run as job
from lstmlm.inference.run import infer
from lstmlm.inference.work import work_folder
from lstmlm.progress import Silent
from lstmlm.publish.folder import Manifest
from lstmlm.publish.locks import locked
from lstmlm.publish.manifest import content_folder, read_manifest
from lstmlm.recipe.recipe import Recipe
from lstmlm.runners.runner import Runner
from lstmlm.storage import StorePath
from lstmlm.storage.clients import forget
from tests.stores import keys, uploaded
from tests.waiting import wait_until

pytestmark = pytest.mark.slow

MakeRecipe = Callable[..., Recipe]

RECORDS = 1000
POISONED = (5, 777)


@pytest.fixture
def lines(tmp_path: Path) -> Path:
    """An input of some chunks, with two records the model fails on and one that is no JSON."""
    rows = [
        json.dumps({"text": f"text {n}" + " POISON" * (n in POISONED), "id": f"id-{n}", "more": n})
        for n in range(RECORDS)
    ]
    rows[11] = "{"
    path = tmp_path / "in.jsonl"
    path.write_text("\n".join(rows))
    return path


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LSTMLM_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def digests(manifest: Manifest) -> dict[str, Any]:
    return {name: facts["sha256"] for name, facts in manifest.files.items()}


@pytest.mark.parametrize("form", ["jsonl", "parquet", "tfrecord"])
def test_the_digests_are_those_of_a_disk(
    shouter: Path, lines: Path, bucket: StorePath, s3: Any, tmp_path: Path, recipe: MakeRecipe, form: str
) -> None:
    run = recipe(id="id", shards=3, max_dead_fraction=0.01, format=form)
    here = infer(run, shouter, tmp_path / "out", Silent(), input=lines)
    export = uploaded(shouter, bucket / "export")
    s3.upload_file(str(lines), bucket.bucket, "in.jsonl")
    before = set(keys(s3, bucket))
    there = infer(
        run, export, bucket / "out", Silent(), input=Path(f"{bucket}/in.jsonl"), metrics=bucket / "out.metrics.json"
    )
    assert digests(there) == digests(here)
    assert there.facts == here.facts
    written = {key for key in keys(s3, bucket) if key not in before}
    assert written == {
        "out/manifest.json", "out.metrics.json", *(f"out/{there.attempt}/{name}" for name in there.files)
    }  # fmt: skip
    again = infer(run, export, bucket / "out", Silent(), input=Path(f"{bucket}/in.jsonl"))
    assert again.attempt == there.attempt


def test_worker_processes_write_to_a_store(
    shouter: Path, lines: Path, bucket: StorePath, tmp_path: Path, recipe: MakeRecipe
) -> None:
    run = recipe(id="id", shards=2, max_dead_fraction=0.01)
    here = infer(run, shouter, tmp_path / "out", Silent(), input=lines)
    export = uploaded(shouter, bucket / "export")
    there = infer(run, export, bucket / "out", Silent(), input=lines, runner=Runner("processes", 2))
    assert digests(there) == digests(here)


def test_a_job_that_stops_is_resumed(
    shouter: Path, lines: Path, bucket: StorePath, s3: Any, tmp_path: Path, recipe: MakeRecipe,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    run = recipe(id="id", max_dead_fraction=0.01)
    here = infer(run, shouter, tmp_path / "out", Silent(), input=lines)

    def stop(*given: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(job, "_join", stop)
        with pytest.raises(KeyboardInterrupt):
            infer(run, shouter, bucket / "out", Silent(), input=lines)
    left = keys(s3, bucket)
    assert all(key.startswith(".out.work/") for key in left)
    assert len([key for key in left if key.endswith(".facts")]) > 1
    with pytest.raises(UserError, match="the unfinished work here is of another job"):
        infer(
            recipe(id="id", seed=2, max_dead_fraction=0.01), shouter, bucket / "out", Silent(), input=lines, resume=True
        )
    facts = next(key for key in left if key.endswith(".facts"))
    s3.put_object(Bucket=bucket.bucket, Key=facts, Body=b"damaged")
    decoded = list[int]()
    plain = job._run_chunks

    def counted(work: Any, *given: Any) -> None:
        decoded.append(len(work.left()))
        plain(work, *given)

    monkeypatch.setattr(job, "_run_chunks", counted)
    there = infer(run, shouter, bucket / "out", Silent(), input=lines)
    assert decoded == [1]
    assert digests(there) == digests(here)
    assert all(key.startswith("out/") for key in keys(s3, bucket))


def test_another_job_removes_what_is_left_and_two_at_once_are_refused(
    shouter: Path, lines: Path, bucket: StorePath, s3: Any, recipe: MakeRecipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = recipe(id="id", max_dead_fraction=0.01)
    with locked(work_folder(bucket / "out")), pytest.raises(TryAgain, match="another process is at work here"):
        infer(run, shouter, bucket / "out", Silent(), input=lines)
    with monkeypatch.context() as patched:
        patched.setattr(job, "_decode", lambda *given: (_ for _ in ()).throw(ZeroDivisionError))
        with pytest.raises(ZeroDivisionError):
            infer(run, shouter, bucket / "out", Silent(), input=lines)
    assert keys(s3, bucket)
    infer(recipe(id="id", seed=2, max_dead_fraction=0.01), shouter, bucket / "out", Silent(), input=lines)
    assert all(key.startswith("out/") for key in keys(s3, bucket))


def test_what_cannot_be_written_is_reported_before_any_work(
    shouter: Path, lines: Path, recipe: MakeRecipe, bucket: StorePath, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(UserError, match="there is no bucket 'absent'"):
        infer(recipe(), shouter, StorePath("s3://absent/out"), Silent(), input=lines)
    with pytest.raises(UserError, match="not a finished result"):
        infer(recipe(), bucket / "export", bucket / "out", Silent(), input=lines)
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    forget()
    with pytest.raises(UserError, match="nothing answers at"):
        infer(recipe(), shouter, bucket / "out", Silent(), input=lines)


def test_a_tenth_of_the_requests_refused_gives_the_same_bytes(
    shouter: Path, lines: Path, bucket: StorePath, tmp_path: Path, recipe: MakeRecipe, store_server: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    run = recipe(id="id", max_dead_fraction=0.01)
    here = infer(run, shouter, tmp_path / "out", Silent(), input=lines)
    export = uploaded(shouter, bucket / "export")
    with faulty(store_server, refused=0.1, reset=0.02, cut=0.05) as proxy:
        monkeypatch.setenv("AWS_ENDPOINT_URL", proxy.url)
        forget()
        there = infer(run, export, bucket / "out", Silent(), input=lines)
        assert proxy.faults["refused"] > 0
    assert digests(there) == digests(here)


def test_a_killed_job_is_taken_over_on_the_command_line(
    shouter: Path, lines: Path, bucket: StorePath, s3: Any, tmp_path: Path, recipe: MakeRecipe
) -> None:
    here = infer(recipe(id="id", max_dead_fraction=0.01), shouter, tmp_path / "out", Silent(), input=lines)
    uploaded(shouter, bucket / "export")
    s3.upload_file(str(lines), bucket.bucket, "in.jsonl")
    text = "name: test\ntask: generate\nseed: 1\ncorpus: {train: none.txt, root: .}\n"
    (tmp_path / "recipe.yaml").write_text(text + "inference: {id: id, max_dead_fraction: 0.01}\n")
    words = [
        "infer",
        "recipe.yaml",
        "--export",
        f"{bucket}/export",
        "--input",
        f"{bucket}/in.jsonl",
        "-o",
        f"{bucket}/out",
    ]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path), "NO_COLOR": "1"}
    command = [sys.executable, "-m", "lstmlm", *words]
    with (tmp_path / "said.txt").open("w") as said:
        process = subprocess.Popen(command, env=environment, cwd=tmp_path, stdout=said, stderr=said)
        wait_until(
            lambda: process.poll() is not None or any(key.endswith(".facts") for key in keys(s3, bucket)),
            "a finished chunk",
        )
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert not (bucket / "out" / "manifest.json").exists(), (tmp_path / "said.txt").read_text()
    asked = subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, text=True)
    assert asked.returncode == 75, asked.stderr
    assert "another process is at work here" in asked.stderr

    def finished() -> bool:
        return subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True).returncode == 0

    wait_until(finished, "the lease of the killed job to expire", 240)
    there = read_manifest(bucket / "out", verify=True)
    assert digests(there) == digests(here)
    left = [key for key in keys(s3, bucket) if key.partition("/")[0] not in ("export", "out", "in.jsonl")]
    assert left == ["out.metrics.json"]
    assert content_folder(bucket / "out").is_dir()
