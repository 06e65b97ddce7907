"""Foreign files cannot run code or read other files."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from lstmlm.corpus.ingest import clean, ingest
from lstmlm.errors import UserError
from lstmlm.inference.run import infer
from lstmlm.inference.scores import score_texts
from lstmlm.progress import Silent
from tests.hostile import code_carrying
from tests.tiny import TinyRun

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("stage", ["ingest", "clean", "infer", "score"])
def test_no_stage_runs_the_code_of_a_parquet_file(exported: TinyRun, tmp_path: Path, stage: str) -> None:
    marker, output = tmp_path / "marker", tmp_path / "out"
    file = code_carrying(tmp_path / "a.parquet", marker)
    corpus = exported.recipe.corpus.model_copy(update={"root": tmp_path, "train": file.name, "source": "text"})
    recipe = exported.recipe.model_copy(update={"corpus": corpus})
    with pytest.raises(UserError, match=r"a\.parquet: holds Python objects, whose reading would run code") as caught:
        if stage == "ingest":
            ingest(recipe, output, Silent())
        elif stage == "clean":
            clean(recipe, output, Silent())
        elif stage == "infer":
            infer(recipe, exported.export, output, Silent(), input=file)
        else:
            score_texts(recipe, exported.export, file, output, Silent())
    assert "\n" not in str(caught.value)
    assert not marker.exists()
    assert not output.exists()


def test_mutated_files_of_every_kind_are_read_or_refused() -> None:
    command = [sys.executable, "tests/fuzz/run.py", "--inputs", "150", "--seed", "7"]
    done = subprocess.run(command, cwd=Path(__file__).parents[1], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr[-3000:]
    assert "150 inputs" in done.stdout
