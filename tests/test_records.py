from __future__ import annotations

import subprocess
import sys

import pytest

from lstmlm.records import Record, from_example, stable_hash, to_example


@pytest.mark.parametrize(
    "record",
    [
        Record("a.txt:1", "plain"),
        Record("a.tsv:17", "Stop!", ("Ça suffit !", "Arrête-toi !")),
        Record("ü", "emoji 🙂, newline \n, zero \x00, 日本語", ("",)),
        Record("empty", ""),
    ],
)
def test_a_record_survives_its_tf_example(record: Record) -> None:
    assert from_example(to_example(record).SerializeToString()) == record


def test_stable_hash_is_the_same_in_every_process() -> None:
    code = "from lstmlm.records import stable_hash; print(stable_hash('split', 'a.txt:1', 7))"
    outputs = {
        subprocess.run(
            [sys.executable, "-c", code], env={"PYTHONHASHSEED": seed}, capture_output=True, text=True, check=True
        ).stdout
        for seed in ("0", "1")
    }
    assert outputs == {f"{stable_hash('split', 'a.txt:1', 7)}\n"}


def test_stable_hash_tells_its_parts_apart() -> None:
    assert stable_hash("ab", "c") != stable_hash("a", "bc")
    assert 0 <= stable_hash("x") < 2**63
