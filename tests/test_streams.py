"""Standard input and output in the place of files."""

from __future__ import annotations

import gzip
import os
import threading
from pathlib import Path

import pytest

from lstmlm.cli.streams import input_file, output_folder
from lstmlm.errors import UserError

KINDS = {
    ".jsonl": b'\xef\xbb\xbf {"text": "a"}\n{"text": "b"}\n',
    ".tsv": b"id\ttext\n1\ta\n",
    ".csv": b'"id","text"\n1,"a"\n',
    ".txt": b"text, that is not a table\n",
    ".parquet": b"PAR1 and so on",
}


@pytest.mark.parametrize("ending", KINDS)
@pytest.mark.parametrize("packed", [False, True])
def test_a_pipe_becomes_a_file_of_its_kind(tmp_path: Path, ending: str, packed: bool) -> None:
    if packed and ending == ".parquet":
        pytest.skip("parquet has its own compression")
    content = gzip.compress(KINDS[ending]) if packed else KINDS[ending]
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_bytes, args=(content,))
    writer.start()
    with input_file(pipe, "text") as path:
        assert path is not None
        assert path.name == f"stdin{ending}"
        assert path.read_bytes() == path.read_bytes() == content
    writer.join()
    assert not path.exists()


def test_files_and_what_is_not_there_are_left_to_the_reader(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text("{}")
    for path in (None, tmp_path / "a.jsonl", tmp_path, tmp_path / "*.jsonl", tmp_path / "absent"):
        with input_file(path, "text") as found:
            assert found == path


def test_only_lines_go_to_standard_output(capfd: pytest.CaptureFixture[str]) -> None:
    with output_folder(Path("-"), "predictions-*") as folder:
        os.write(1, b"a summary\n")
        folder.mkdir()
        (folder / "predictions-00001-of-00002.jsonl").write_text("second\n")
        (folder / "predictions-00000-of-00002.jsonl").write_text("first\n")
        (folder / "dead_letters.jsonl").write_text('{"line": 7}\n')
    out, err = capfd.readouterr()
    assert out == "first\nsecond\n"
    assert "a summary" in err
    assert '{"line": 7}' in err
    assert not folder.exists()


def test_a_folder_stays_a_folder_and_tables_are_refused(tmp_path: Path) -> None:
    with output_folder(tmp_path / "out", "predictions-*", "parquet") as folder:
        assert folder == tmp_path / "out"
    with pytest.raises(UserError, match="parquet is not one for standard output"):
        output_folder(Path("-"), "*", "parquet").__enter__()
