"""The code in docs/python.md runs as it is written there, and names nothing that is not there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import lstmlm
from tests.tiny import TinyRun

pytestmark = pytest.mark.slow

TEXT = (Path(__file__).parents[2] / "docs" / "python.md").read_text(encoding="utf-8")
PROGRAMS = re.findall(r"^```python\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("exported", ["translate"], indirect=True)
def test_the_programs_run(exported: TinyRun, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "texts.txt").write_text("the statement\n\na name\n", encoding="utf-8")
    places = {
        "EXPORT": exported.export,
        "TEXTS": tmp_path / "texts.txt",
        "RECORDS": exported.records,
        "EXAMPLES": exported.records.parent / "examples",
        "RECIPE": exported.recipe,
    }
    names: dict[str, object] = dict(places)
    for program in PROGRAMS:
        exec(program, names)
    shown = capsys.readouterr().out
    assert "The statement -> " in shown
    assert "line 2: " in shown
    assert set(names["shapes"]) == {"source", "target"}  # type: ignore[call-overload]


def test_what_is_promised_is_there_and_described() -> None:
    for name in lstmlm.__all__:
        assert getattr(lstmlm, name) is not None
    described = set(re.findall(r"\w+", TEXT))
    parts = {
        "Candidate",
        "LabelledSpan",
        "SpokenWord",
        "TokenScore",
        "TrainedModel",
        "Model",
        "load_recipe",
        "__version__",
    }
    assert set(lstmlm.__all__) - described <= parts
    for name in re.findall(r"\blstmlm\.(\w+)\(", TEXT):
        assert name in lstmlm.__all__
