"""The loop in docs/serving.md: what it decodes is what the batch job decodes."""

import re
from pathlib import Path

import pytest

from lstmlm.decoding.search.request import SearchRequest
from lstmlm.hub.write import write
from lstmlm.inference.model.loading import load_text_model
from lstmlm.tokenizer import Tokenizer

DOCS = (Path(__file__).parents[1] / "docs" / "serving.md").read_text(encoding="utf-8")
PROGRAMS = re.findall(r"^```python\n(.*?)^```", DOCS, re.MULTILINE | re.DOTALL)
PROMPTS = ["The statement", "a, b", "", "\N{SNOWMAN} x"]


@pytest.mark.parametrize("exported", ["generate"], indirect=True)
def test_the_loop_decodes_what_the_batch_job_does(exported):
    _, loop = PROGRAMS
    model = load_text_model(exported.export)
    for prompt in PROMPTS:
        names = {"EXPORT": str(exported.export), "PROMPT": prompt, "MOST": exported.recipe.decoding.max_tokens}
        exec(loop, names)
        ((expected,),) = model._engine.decode([SearchRequest(model.read(prompt)[0])])
        assert names["output"] == list(expected.tokens)


@pytest.mark.parametrize("exported", ["generate"], indirect=True)
def test_the_vocabulary_loads_from_the_hub_folder(exported, tmp_path):
    program, _ = PROGRAMS
    write(exported.export, tmp_path / "hub")
    ours = Tokenizer(exported.export / "tokenizer.model")
    for text in PROMPTS:
        names = {"FOLDER": str(tmp_path / "hub"), "TEXT": text}
        exec(program, names)
        assert names["ids"] == ours.encode(text)
