"""Speech recognition from a corpus of audio files to transcripts with times, on words that are tones."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

import lstmlm
from lstmlm.audio.decode import whole
from lstmlm.bases.speech.error_rates import matched
from lstmlm.corpus.ingest import ingest
from lstmlm.errors import UserError
from lstmlm.examples.build import build_examples
from lstmlm.inference.run import infer
from lstmlm.progress import Silent
from lstmlm.publish.folder import read_manifest
from lstmlm.recipe.file import parse_recipe
from lstmlm.recipe.recipe import Recipe
from lstmlm.records.shards import records_in
from lstmlm.vocabulary.stage import train_tokenizer
from tests.audio.sounds import file_of, tone
from tests.stage_runs import run_stages

pytestmark = pytest.mark.slow  # a model is trained

RATE = 8000
HERTZ = {"low": 300, "middle": 800, "high": 2000, "top": 3200}

RECIPE = """
name: tones
task: transcribe
corpus: {train: train.tsv, valid: valid.tsv, source: wav, target: said, max_dead_fraction: 0.2}
tokenizer: {algorithm: word}
task_options:
  {rate: 8000, mels: 16, stack: 5, stride: 5, longest: 6, times: times, normalise: bands,
    augment: {speed: 0.1, tract: 0, noise: 0.2, time_masks: 0, frequency_masks: 1, frequency_width: 2}}
model: {encoder_units: 16, encoder_layers: 1, dropout: 0.1}
training:
  {steps: 200, batch: 16, warmup: 10, learning_rate: 0.03, evaluate_every: 100, checkpoint_every: 200, workers: 1,
    metric: wer}
evaluation: {thresholds: {wer: {max: 0.15}}}
decoding: {batch: 4}
inference: {field: wav, max_dead_fraction: 0.9}
"""


def said(words: list[str], draw: np.random.Generator) -> tuple[np.ndarray, str]:
    """Returns samples of words with pauses, int16, and the times of the words."""
    parts, times, at = [], [], 0.0
    for word in words:
        pause, length = draw.uniform(0.1, 0.25), draw.uniform(0.2, 0.35)
        parts += [np.zeros(int(pause * RATE)), tone(HERTZ[word] * draw.uniform(0.97, 1.03), length, RATE)]
        times.append(f"{at + pause:.3f}-{at + pause + length:.3f}")
        at += pause + length
    samples = np.concatenate([*parts, np.zeros(RATE // 8)])
    samples = samples + draw.normal(0, 0.002, len(samples))
    return (samples * 32767).astype(np.int16), " ".join(times)


def corpus(folder: Path) -> None:
    draw = np.random.default_rng(1)
    (folder / "wav").mkdir()
    for split, count in (("train", 160), ("valid", 24)):
        rows = ["wav\tsaid\ttimes"]
        for number in range(count):
            words = draw.choice(list(HERTZ), draw.integers(1, 4)).tolist()
            samples, times = said(words, draw)
            kind = "FLAC" if number % 2 else "WAV"
            name = f"wav/{split}{number}.{kind.lower()}"
            (folder / name).write_bytes(file_of(samples, RATE, kind))
            rows.append(f"{name}\t{' '.join(words)}\t{times}")
        (folder / f"{split}.tsv").write_text("\n".join(rows) + "\n")


class Run:
    """A finished run: the recipe, its corpus and the folder of each stage."""

    def __init__(self, folder: Path) -> None:
        self.root, self.folder = folder / "corpus", folder

    def recipe(self, *changes: str) -> Recipe:
        return parse_recipe(RECIPE, "tones.yaml", [f"corpus.root={self.root}", f"output={self.folder}", *changes])

    def predicted(self, name: str, *changes: str, **place: Path) -> list[dict[str, Any]]:
        infer(self.recipe(*changes), self.folder / "export", self.folder / name, Silent(), **place)
        files = sorted((self.folder / name).glob("predictions-*"))
        return [json.loads(line) for path in files for line in path.open()]

    def letters(self, name: str) -> dict[str, str]:
        lines = map(json.loads, (self.folder / name / "dead_letters.jsonl").open())
        return {letter.get("id") or letter["line"]: letter["reason"] for letter in lines}


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    made = Run(tmp_path_factory.mktemp("tones"))
    made.root.mkdir()
    corpus(made.root)

    run_stages(made.recipe(), made.folder)
    return made


def test_a_corpus_of_audio_files_becomes_a_model_that_transcribes(run: Run) -> None:
    verdict = read_manifest(run.folder / "evaluation", "evaluation").facts
    metrics = verdict["metrics"]
    assert verdict["blessed"], verdict
    assert (
        metrics["wer"] == (metrics["substitutions"] + metrics["insertions"] + metrics["deletions"]) / metrics["words"]
    )
    assert metrics["transcripts"] == 24
    assert metrics["time_error"] < 0.1
    held = run.predicted("held", records=run.folder / "records")
    truth = {record.id: record.targets[0] for record in records_in(run.folder / "records", "valid")}
    wrong = sum(truth[row["id"]] != row["output"] for row in held)
    assert wrong == metrics["wrong_transcripts"]


def test_files_and_bytes_are_transcribed_in_python(run: Run) -> None:
    path = run.root / "wav" / "train0.wav"
    by_path, by_content, missing = lstmlm.load(run.folder / "export").transcribe(
        [path, path.read_bytes(), "absent.wav"], errors="return"
    )
    assert by_path == by_content
    assert " ".join(one.word for one in by_path.words) == by_path.text
    assert isinstance(missing, lstmlm.Failed)
    assert "absent.wav" in missing.reason


def test_audio_is_in_the_records(run: Run) -> None:
    record = next(iter(records_in(run.folder / "records", "train")))
    audio: Any = record.columns["audio"]
    np.testing.assert_array_equal(whole(audio, RATE), whole(str(run.root / "wav" / "train0.wav"), RATE))
    assert audio.startswith(b"fLaC")


def test_a_folder_of_files_is_an_input_and_bad_ones_are_dead_letters(run: Run, tmp_path: Path) -> None:
    draw = np.random.default_rng(5)
    samples, _ = said(["low", "high", "top"], draw)
    (tmp_path / "deep").mkdir()
    good = {
        "a.wav": file_of(samples, RATE),
        "deep/a.flac": file_of(samples, RATE, "FLAC"),
        "stereo.wav": file_of(np.stack([samples, samples], axis=1), RATE),
        "named.mp3": file_of(samples, RATE),  # what a file holds decides, not its name
    }
    bad = {"none.wav": file_of(samples[:0], RATE), "text.wav": b"not audio", "cut.wav": file_of(samples, RATE)[:-999]}
    for name, data in (good | bad).items():
        (tmp_path / name).write_bytes(data)
    found = {row["id"]: row for row in run.predicted("files", input=tmp_path)}
    assert found.keys() == good.keys()
    assert {row["output"] for row in found.values()} == {"low high top"}
    assert found["a.wav"]["words"] == found["deep/a.flac"]["words"]
    assert found["a.wav"]["seconds"] == pytest.approx(len(samples) / RATE, abs=1e-3)
    letters = run.letters("files")
    assert letters == {
        "none.wav": "it has no samples",
        "text.wav": "not a WAV, FLAC, MP3, Ogg or AIFF file: it begins with b'not '",
        "cut.wav": f"it ends early: {2 * len(samples) - 999} of {2 * len(samples)} bytes of samples are there",
    }


def test_rows_name_files_below_their_folder_only(run: Run, tmp_path: Path) -> None:
    samples, _ = said(["middle"], np.random.default_rng(6))
    (tmp_path / "a.wav").write_bytes(file_of(samples, RATE))
    names = ["a.wav", "../a.wav", "/etc/passwd", "b.wav", "", 5]
    rows = (json.dumps({"wav": name, "n": number}) + "\n" for number, name in enumerate(names))
    (tmp_path / "in.jsonl").write_text("".join(rows))
    (row,) = run.predicted("rows", input=tmp_path / "in.jsonl")
    assert (row["n"], row["output"]) == (0, "middle")
    letters = run.letters("rows")
    assert len(letters) == 5
    assert [word in reason for word, reason in zip(["leads out", "leads out", "no audio file", "empty", "neither"],
                                                   letters.values(), strict=True)] == [True] * 5  # fmt: skip


def test_a_long_recording_is_joined_with_its_times(run: Run, tmp_path: Path) -> None:
    draw = np.random.default_rng(7)
    words = draw.choice(list(HERTZ), 120).tolist()
    samples, times = said(words, draw)
    assert len(samples) > 45 * RATE
    (tmp_path / "long.flac").write_bytes(file_of(samples, RATE, "FLAC"))
    (row,) = run.predicted("long", input=tmp_path / "long.flac")
    assert row["output"].split() == [word["word"] for word in row["words"]]
    starts = [float(part.split("-")[0]) for part in times.split()]
    errors, right = matched(row["output"].split(), words)
    assert errors.rate < 0.4
    assert np.median([abs(row["words"][ours]["start"] - starts[theirs]) for ours, theirs in right]) < 0.1
    assert all(word["start"] <= word["end"] <= row["seconds"] for word in row["words"])


def test_the_saved_model_takes_samples(run: Run) -> None:
    loaded = tf.saved_model.load(str(run.folder / "export"))
    held = {row["id"]: row["output"] for row in run.predicted("held", records=run.folder / "records")}
    record = next(iter(records_in(run.folder / "records", "valid")))
    samples = whole(record.columns["audio"], RATE).astype(np.float32) / 32768
    found = loaded.signatures["serving_default"](
        samples=tf.constant(samples[None]), samples_length=tf.constant([len(samples)])
    )
    assert found["output"].numpy()[0].decode() == held[record.id]


def test_a_beam_with_the_lexicon_writes_words_of_the_train_split(run: Run) -> None:
    changes = ["decoding.method=beam", "task_options.lexicon=true", "decoding.n_best=3"]
    found = run.predicted("beam", *changes, records=run.folder / "records")
    assert all(set(row["output"].split()) <= HERTZ.keys() for row in found)
    assert all(row["n_best"][0]["output"] == row["output"] for row in found)
    truth = {record.id: record.targets[0] for record in records_in(run.folder / "records", "valid")}
    assert sum(truth[row["id"]] == row["output"] for row in found) > 0.8 * len(found)


def test_bad_rows_of_a_corpus_are_counted(run: Run, tmp_path: Path) -> None:
    samples, times = said(["low"], np.random.default_rng(8))
    for name, data in {"a.wav": samples, "short.wav": samples[:100], "none.wav": samples[:0]}.items():
        (tmp_path / name).write_bytes(file_of(data, RATE))
    (tmp_path / "long.wav").write_bytes(file_of(np.zeros(7 * RATE, np.int16), RATE))
    rows = [("a.wav", "low", times)] * 30
    rows += [("a.wav", "", times), ("a.wav", "low low", times), ("none.wav", "low", times), ("long.wav", "low", times)]
    rows += [("short.wav", "low", "0-0")]
    (tmp_path / "train.tsv").write_text("wav\tsaid\ttimes\n" + "".join("\t".join(row) + "\n" for row in rows))
    (tmp_path / "valid.tsv").write_text("wav\tsaid\ttimes\na.wav\tlow\t" + times + "\n")
    recipe = run.recipe(f"corpus.root={tmp_path}", "tokenizer.algorithm=character")
    ingest(recipe, tmp_path / "records", Silent())
    counts = read_manifest(tmp_path / "records", "records").facts["counts"]
    assert (counts["dropped"], counts["dead"]) == ({"blank": 1}, 3)
    reasons = [json.loads(line)["reason"] for line in (tmp_path / "records" / "dead_letters.jsonl").open()]
    assert reasons == [
        "column 'times' has 1 times, and there are 2 words",
        "column 'wav': it has no samples",
        "column 'wav': it is longer than 6 s",
    ]
    train_tokenizer(recipe, tmp_path / "records", tmp_path / "tokenizer", Silent())
    build_examples(recipe, tmp_path / "records", tmp_path / "tokenizer", tmp_path / "examples", Silent())
    splits = read_manifest(tmp_path / "examples", "examples").facts["splits"]
    assert splits["train"]["shorter_than_transcript"] == 1
    assert splits["train"]["examples"] == 30


def test_another_audio_file_of_the_same_name_makes_other_records(run: Run, tmp_path: Path) -> None:
    from lstmlm.corpus.sources.snapshot import corpus_fingerprint

    samples, times = said(["low"], np.random.default_rng(9))
    (tmp_path / "train.tsv").write_text(f"wav\tsaid\ttimes\na.wav\tlow\t{times}\n")
    recipe = run.recipe(f"corpus.root={tmp_path}", "corpus.valid=null")
    found = []
    for data in (samples, samples[::-1]):
        (tmp_path / "a.wav").write_bytes(file_of(data, RATE))
        found.append(corpus_fingerprint(recipe))
    assert found[0] != found[1]


def test_what_does_not_go_together_is_refused_before_any_work(run: Run) -> None:
    for changes, message in [
        (["corpus.duplicates.exact=true"], "corpus.duplicates: recordings are not compared"),
        (["decoding.method=sample"], r"decoding\.method: no transcript is drawn at random\. Set it to greedy or beam"),
        (["task_options.lexicon=true"], "a lexicon need a search that keeps several transcripts"),
    ]:
        with pytest.raises(UserError, match=message):
            infer(run.recipe(*changes), run.folder / "export", run.folder / "no", Silent(), records=run.folder)
