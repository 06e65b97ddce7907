"""Recordings inside the files of a data set, as Hugging Face stores them, are ingested like files."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from lstmlm.audio.flac import from_flac
from lstmlm.bases.speech.rows import audio_in
from lstmlm.corpus.ingest import ingest
from lstmlm.formats.arrow import pa, pq
from lstmlm.progress import Silent
from lstmlm.publish.folder import read_manifest
from lstmlm.recipe.file import parse_recipe
from lstmlm.records.shards import records_in
from tests.audio.sounds import file_of, noise

RECIPE = """
name: embedded
task: transcribe
corpus: {train: train.parquet, valid_fraction: 0.3, source: audio, target: text, max_dead_fraction: 0.5}
tokenizer: {algorithm: character}
task_options: {rate: 8000, mels: 16}
"""


def test_bytes_and_paths_of_a_parquet_file_become_records(tmp_path: Path) -> None:
    samples = [noise(0.3, 8000, seed) for seed in range(8)]
    audio = [{"bytes": file_of(one, 8000, "FLAC"), "path": "x.flac"} for one in samples[:6]]
    (tmp_path / "a.wav").write_bytes(file_of(samples[6], 8000))
    audio += [{"bytes": None, "path": "a.wav"}, {"bytes": b"not audio", "path": None}]
    table = pa.table({"audio": audio, "text": [f"word {number}" for number in range(8)]})
    pq.write_table(table, str(tmp_path / "train.parquet"))
    recipe = parse_recipe(RECIPE, "embedded.yaml", [f"corpus.root={tmp_path}"])
    ingest(recipe, tmp_path / "records", Silent())
    found = {
        record.targets[0]: from_flac(audio_in(record))
        for split in ("train", "valid")
        for record in records_in(tmp_path / "records", split)
    }
    assert sorted(found) == [f"word {number}" for number in range(7)]
    for number in range(7):
        np.testing.assert_array_equal(found[f"word {number}"], samples[number])
    counts = read_manifest(tmp_path / "records", "records").facts["counts"]
    assert counts["dead"] == 1
