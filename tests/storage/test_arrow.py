"""The stores as Ray Train's storage: it writes and finds its own files there, and no key is sent along."""

from __future__ import annotations

from typing import Any

from ray import cloudpickle

from lstmlm.storage import StorePath
from lstmlm.storage.arrow import arrow_filesystem
from tests.stores import keys


def test_ray_train_keeps_its_state_in_a_store(bucket: StorePath, s3: Any) -> None:
    from ray.train.v2._internal.execution.storage import StorageContext, _exists_at_fs_path, delete_fs_path

    folder = bucket / "work" / "ray"
    sent = cloudpickle.dumps(
        StorageContext(folder.address, "group", storage_filesystem=arrow_filesystem("s3"))
    )  # fmt: skip
    assert b"secret-of-the-store" not in sent
    there = cloudpickle.loads(sent)
    assert keys(s3, bucket) != []
    path = there.checkpoint_manager_snapshot_path
    assert not _exists_at_fs_path(there.storage_filesystem, path)
    with there.storage_filesystem.open_output_stream(path) as stream:
        stream.write(b"{}")
    assert _exists_at_fs_path(there.storage_filesystem, path)
    with there.storage_filesystem.open_input_stream(path) as stream:
        assert stream.read() == b"{}"
    delete_fs_path(there.storage_filesystem, there.experiment_fs_path)
    assert [key for key in keys(s3, bucket) if key.startswith("work/ray/group")] == []
