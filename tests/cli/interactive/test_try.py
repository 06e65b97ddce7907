"""`lstmlm try` at a real terminal and through pipes."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import lstmlm
from tests.conftest import ROOT
from tests.inference.model.test_members import another
from tests.terminal import Terminal
from tests.tiny import TinyRun

pytestmark = pytest.mark.slow

of_translate = pytest.mark.parametrize("exported", ["translate"], indirect=True)
of_generate = pytest.mark.parametrize("exported", ["generate"], indirect=True)
TEXTS = ["The statement", "a name"]
BEAM = {"method": "beam", "beam": 5, "n_best": 3, "scores": True}


def command(export: Path, *options: str) -> list[str]:
    return [sys.executable, "-m", "lstmlm", "try", str(export), "--threads", "1", *options]


def piped(export: Path, text: str, *options: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run(
        command(export, *options), input=text, env=environment, capture_output=True, text=True, check=False, timeout=300
    )


@of_translate
def test_a_terminal_shows_output_alternatives_and_attention(exported: TinyRun, tmp_path: Path) -> None:
    model = lstmlm.load(exported.export, decoding=BEAM, threads=1)
    (expected,) = model.translate(["The statement"])
    (attended,) = model.attention([("The statement", expected.text)])
    terminal = Terminal(command(exported.export), tmp_path)
    terminal.read_until("Type texts; Ctrl-D ends.")
    terminal.press(b"The statement\n")
    terminal.read_until("\nend ")
    terminal.read_until("> ")
    terminal.press(b"   \n\x04")
    assert terminal.wait() == 0
    shown = terminal.seen.replace("\r", "")
    assert f"\n{expected.text}\n" in shown
    for number, one in enumerate(expected.n_best, 1):
        assert f"  {number}. {one.score:9.3f}  {one.text}" in shown
    rows = [line for line in shown.splitlines() if any(one in line for one in "░▒▓█")]
    assert len(rows) % len(attended.text) == 0
    assert rows


@of_generate
def test_ctrl_c_ends_it(exported: TinyRun, tmp_path: Path) -> None:
    terminal = Terminal(command(exported.export, "--alternatives", "1"), tmp_path)
    terminal.read_until("> ")
    terminal.press(b"\x03")
    assert terminal.wait() == 130
    assert terminal.said == ["lstmlm: interrupted; nothing is kept of what was typed"]


@of_translate
def test_a_pipe_gives_one_output_a_line(exported: TinyRun) -> None:
    done = piped(exported.export, "".join(f"{text}\n" for text in [*TEXTS, " ", TEXTS[0]]), "--alternatives", "1")
    first, second = (one.text for one in lstmlm.load(exported.export, threads=1).translate(TEXTS))
    assert (done.returncode, done.stdout.split("\n")) == (0, [first, second, "", first, ""])
    (line,) = done.stderr.splitlines()
    assert line.startswith("lstmlm: ")


@of_generate
def test_it_decodes_as_it_is_asked_to(exported: TinyRun) -> None:
    done = piped(
        exported.export, "The statement\n", "--set", "decoding.method=greedy", "--set", "decoding.max_tokens=2"
    )
    (expected,) = lstmlm.load(exported.export, decoding={"max_tokens": 2}, threads=1).generate(["The statement"])
    assert done.stdout == f"{expected.text}\n"


@of_translate
def test_several_exports_and_constraints_of_each_line(exported: TinyRun, tmp_path: Path) -> None:
    other = another(exported, tmp_path / "other")
    lines = [
        '{"text": "The statement", "prefix": "A NAME", "forced": ["IF"]}',
        '{"text": "The statement"}',
        '{"text": "a", "must": "b"}',
        "{",
    ]
    done = piped(exported.export, "".join(f"{line}\n" for line in lines), str(other), "--objects")
    model = lstmlm.load([exported.export, other], decoding=BEAM, threads=1)
    first, second = model.translate([lstmlm.Constrained("The statement", "A NAME", ("IF",)), "The statement"])
    assert (done.returncode, done.stdout.split("\n")) == (0, [first.text, second.text, "", "", ""])
    assert first.text.startswith("A NAME")
    unknown, damaged = done.stderr.splitlines()
    assert unknown == "lstmlm: unknown field 'must' of an input; there are text, prefix, forced, forbidden"
    assert damaged.startswith("lstmlm: not JSON: ")
