"""Folders published to a store: the manifest last, one writer of two, readers that see all of it or nothing."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import Any

import pytest

from lstmlm.errors import TryAgain, UserError
from lstmlm.publish.cache import local_copy
from lstmlm.publish.folder import MANIFEST, claimed, is_finished, publish, read_manifest
from lstmlm.publish.manifest import content_folder
from lstmlm.publish.places import site_of
from lstmlm.publish.store_sweep import sweep_store
from lstmlm.storage import StorePath
from tests.stores import keys

pytestmark = pytest.mark.slow

FILES = {"a.txt": b"one", "Split-train/b c#%.txt": b"two"}


def put(folder: Path, stamp: str = "stamp", files: dict[str, bytes] = FILES) -> None:
    with publish(folder, "records", stamp) as draft:
        for name, content in files.items():
            (draft.path / name).parent.mkdir(parents=True, exist_ok=True)
            (draft.path / name).write_bytes(content)
        draft.facts["count"] = 2


def test_the_same_files_facts_and_sums_as_on_a_disk(bucket: StorePath, tmp_path: Path, s3: Any) -> None:
    put(tmp_path / "out")
    put(bucket / "out")
    here, there = read_manifest(tmp_path / "out", verify=True), read_manifest(bucket / "out", verify=True)
    assert (there.kind, there.fingerprint, there.files, there.facts) == (
        here.kind, here.fingerprint, here.files, here.facts
    )  # fmt: skip
    folder = content_folder(bucket / "out")
    assert {name: (folder / name).read_bytes() for name in there.files} == FILES
    assert sorted(keys(s3, bucket)) == sorted([f"out/{MANIFEST}", *(f"out/{folder.name}/{name}" for name in FILES)])


def test_nothing_of_the_environment_is_in_it(bucket: StorePath, s3: Any) -> None:
    put(bucket / "out")
    stored = [s3.get_object(Bucket=bucket.bucket, Key=key)["Body"].read() for key in keys(s3, bucket)]
    assert not any(secret in content for content in stored for secret in (b"secret-of-the-store", b"127.0.0.1"))


def test_a_writer_that_fails_leaves_nothing_and_readers_refuse(bucket: StorePath, s3: Any) -> None:
    with pytest.raises(ZeroDivisionError), publish(bucket / "out", "records", "stamp") as draft:
        (draft.path / "a.txt").write_bytes(b"one")
        with pytest.raises(UserError, match="not a finished result"):
            read_manifest(bucket / "out")
        raise ZeroDivisionError
    assert keys(s3, bucket) == []


def test_a_finished_folder_is_kept_and_another_result_refused(bucket: StorePath) -> None:
    assert not is_finished(bucket / "out", "records", "stamp")
    put(bucket / "out")
    assert is_finished(bucket / "out", "records", "stamp")
    with pytest.raises(UserError, match="not empty and does not hold this result"):
        is_finished(bucket / "out", "records", "another")
    with pytest.raises(TryAgain, match="just written the same result"):
        put(bucket / "out")


def test_foreign_objects_are_refused(bucket: StorePath) -> None:
    (bucket / "out" / "theirs").write_bytes(b"")
    with pytest.raises(UserError, match="not empty"):
        put(bucket / "out")
    (bucket / "file").write_bytes(b"")
    with pytest.raises(UserError, match="this is a file"):
        put(bucket / "file")


def test_of_two_writers_without_a_lease_one_wins_and_the_other_is_one_line(bucket: StorePath, s3: Any) -> None:
    """As where the clock of a lease failed: what protects the output is the conditional write of the manifest."""
    both, results = threading.Barrier(2), list[str]()

    def work(name: str) -> None:
        site = site_of(bucket / "out")
        from lstmlm.publish.folder import Claim

        try:
            with Claim(bucket / "out", site, "records", name).draft() as draft:
                (draft.path / "name").write_text(name)
                both.wait(60)
            results.append(name)
        except TryAgain as error:
            results.append(str(error))

    threads = [threading.Thread(target=work, args=(name,)) for name in ("one", "two")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    (won,) = [result for result in results if result in ("one", "two")]
    (lost,) = [result for result in results if result not in ("one", "two")]
    assert "another process has published here meanwhile" in lost
    assert len(lost.splitlines()) == 1
    assert read_manifest(bucket / "out", verify=True).fingerprint == won
    assert (content_folder(bucket / "out") / "name").read_text() == won
    assert len(keys(s3, bucket)) == 2


def test_a_writer_waits_for_nobody_else_to_hold_the_output(bucket: StorePath) -> None:
    refused = pytest.raises(TryAgain, match="another process is at work here")
    with claimed(bucket / "out", "records", "stamp"), refused:
        put(bucket / "out")
    put(bucket / "out")


def test_a_changed_or_missing_object_is_found(bucket: StorePath) -> None:
    put(bucket / "out")
    file = content_folder(bucket / "out") / "a.txt"
    file.write_bytes(b"eno")
    read_manifest(bucket / "out")
    with pytest.raises(UserError, match=r"a\.txt: file is missing or does not match"):
        read_manifest(bucket / "out", verify=True)
    file.unlink()
    with pytest.raises(UserError, match=r"a\.txt: file is missing or does not match"):
        read_manifest(bucket / "out")


@pytest.mark.parametrize("attempt", ["../other", "/abs", "attempt-0", 5])
def test_a_manifest_that_names_files_elsewhere_is_refused(bucket: StorePath, attempt: object) -> None:
    put(bucket / "out")
    content = json.loads((bucket / "out" / MANIFEST).read_bytes())
    del content["seal"]
    (bucket / "out" / MANIFEST).write_bytes(json.dumps(content | {"attempt": attempt}).encode())
    with pytest.raises(UserError, match="not a manifest of lstmlm"):
        read_manifest(bucket / "out")


def test_a_copy_is_made_once_and_the_oldest_is_removed(
    bucket: StorePath, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LSTMLM_CACHE", str(tmp_path / "cache"))
    put(bucket / "out")
    put(bucket / "same")
    put(bucket / "large", files={"a": b"x" * 5000})
    copy = local_copy(bucket / "out")
    assert {name: (copy / name).read_bytes() for name in FILES} == FILES
    assert local_copy(bucket / "same") == copy
    (content_folder(bucket / "out") / "a.txt").write_bytes(b"eno")
    assert local_copy(bucket / "out") == copy  # not copied again
    monkeypatch.setenv("LSTMLM_CACHE_BYTES", "5100")
    assert local_copy(bucket / "large").is_dir()
    assert not copy.exists()
    with pytest.raises(UserError, match="differs from the manifest"):
        local_copy(bucket / "out")
    assert not copy.exists()


def test_a_sweep_removes_what_no_manifest_names_after_a_grace_time(
    bucket: StorePath, s3: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(bucket / "run" / "out")
    kept = keys(s3, bucket)
    left = ["run/out/attempt-0123456789abcdef/a", "run/other/attempt-0123456789abcdef/b/c", "run/.out.work/1/job.json"]
    left += ["run/.out.lock/000001", "run/.x.probe-0123456789abcdef"]
    for key in left:
        s3.put_object(Bucket=bucket.bucket, Key=key, Body=b"1")
    put(bucket / "run" / ".tiny.training.work" / "step-00000001")
    left += [key for key in keys(s3, bucket) if ".tiny.training.work" in key]
    upload = s3.create_multipart_upload(Bucket=bucket.bucket, Key="run/out/attempt-0123456789abcdef/large")
    assert sweep_store(bucket / "run", 3600) == []
    assert sorted(keys(s3, bucket)) == sorted(kept + left)
    with pytest.raises(UserError, match="less than the 60 in which a lease expires"):
        sweep_store(bucket / "run", 1)
    monkeypatch.setattr("lstmlm.publish.store_sweep.now", lambda folder: 4e9)
    found = sweep_store(bucket / "run", 3600, remove=False)
    assert sorted(one.folder.key for one in found) == [
        "run/.out.lock",
        "run/.out.work",
        "run/.tiny.training.work",
        "run/.x.probe-0123456789abcdef",
        "run/other/attempt-0123456789abcdef",
        "run/out/attempt-0123456789abcdef",
    ]
    assert sorted(keys(s3, bucket)) == sorted(kept + left)
    sweep_store(bucket / "run", 3600)
    assert keys(s3, bucket) == kept
    assert upload["UploadId"] not in str(s3.list_multipart_uploads(Bucket=bucket.bucket).get("Uploads"))
    read_manifest(bucket / "run" / "out", verify=True)
