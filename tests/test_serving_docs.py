"""The loop in docs/serving.md: what it decodes is what the batch job decodes."""

import re
from pathlib import Path

import pytest

from lstmlm.decoding.search.request import SearchRequest
from lstmlm.inference.model.loading import load_text_model

DOCS = (Path(__file__).parents[1] / "docs" / "serving.md").read_text(encoding="utf-8")
PROMPTS = ["The statement", "a, b", "", "\N{SNOWMAN} x"]


@pytest.mark.parametrize("exported", ["generate"], indirect=True)
def test_the_loop_decodes_what_the_batch_job_does(exported):
    (loop,) = re.findall(r"^```python\n(.*?)^```", DOCS, re.MULTILINE | re.DOTALL)
    model = load_text_model(exported.export)
    for prompt in PROMPTS:
        names = {"EXPORT": str(exported.export), "PROMPT": prompt, "MOST": exported.recipe.decoding.max_tokens}
        exec(loop, names)
        ((expected,),) = model._engine.decode([SearchRequest(model.read(prompt)[0])])
        assert names["output"] == list(expected.tokens)
