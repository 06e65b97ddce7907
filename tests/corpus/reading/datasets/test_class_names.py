"""Names of classes, wherever a data set keeps them."""

from __future__ import annotations

import json
from pathlib import Path

from lstmlm.corpus.reading.datasets.class_names import in_schema, named_rows, next_to
from lstmlm.corpus.reading.rows import Row

FEATURES = {
    "label": {"names": ["neg", "pos"], "_type": "ClassLabel"},
    "tags": {"feature": {"names": ["O", "B-PER"], "_type": "ClassLabel"}, "_type": "List"},
    "nested": {"kind": {"names": ["a"], "_type": "ClassLabel"}},
    "text": {"dtype": "string", "_type": "Value"},
}
NAMES = {"label": ("neg", "pos"), "tags": ("O", "B-PER"), "nested.kind": ("a",)}
CARD = """---
license: mit
dataset_info:
  features:
  - name: text
    dtype: string
  - name: label
    dtype:
      class_label:
        names:
          '0': neg
          '1': pos
  - name: tags
    sequence:
      class_label:
        names: {'0': O, '1': B-PER}
  - name: nested
    struct:
    - name: kind
      dtype: {class_label: {names: {'0': a}}}
---
# A data set
"""


def test_a_schema_has_them() -> None:
    stored = json.dumps({"info": {"features": FEATURES}}).encode()
    assert in_schema({b"huggingface": stored}) == NAMES
    for damaged in (b"{", b"{}", b'{"info": 1}', b'{"info": {"features": []}}', b"[" * 100_000):
        assert in_schema({b"huggingface": damaged}) == {}
    assert in_schema(None) == {}


def test_a_file_next_to_the_data_or_above_has_them(tmp_path: Path) -> None:
    (tmp_path / "data" / "train").mkdir(parents=True)
    path = tmp_path / "data" / "train" / "a.jsonl"
    assert next_to(str(path), "data/train/a.jsonl") == ()
    (tmp_path / "README.md").write_text(CARD)
    assert dict(next_to(str(path), "data/train/a.jsonl")) == NAMES
    assert next_to(str(path), "a.jsonl") == ()  # not above the root
    nearer = {"features": {"label": {"names": ["x", "y"], "_type": "ClassLabel"}}}
    (tmp_path / "data" / "dataset_info.json").write_text(json.dumps(nearer))
    assert dict(next_to(str(path), "data/train/a.jsonl")) == {"label": ("x", "y")}


def test_what_says_nothing_is_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    several = CARD.replace("dataset_info:\n  features:", "dataset_info:\n- config_name: one\n  features:")
    other = "- config_name: two\n  features:\n  - name: label\n    dtype: {class_label: {names: {'0': other}}}\n---\n"
    for text in ("# Nothing", "---\n[\n---\n", "---\na: 1\n---\n", "---\ndataset_info: 3\n---\n"):
        (tmp_path / "README.md").write_text(text)
        assert next_to(str(path), "a.jsonl") == ()
    (tmp_path / "README.md").write_text(several.replace("---\n# A", other + "# A"))
    # Two configurations name the classes of one column differently.
    assert dict(next_to(str(path), "a.jsonl")) == {name: NAMES[name] for name in ("tags", "nested.kind")}


def test_numbers_of_needed_columns_become_names() -> None:
    fields = {"label": 1, "tags": [0, 1], "nested": {"kind": 0}, "text": "t"}
    classes = tuple(sorted(NAMES.items()))
    (row,) = named_rows([Row(1, 0, fields)], classes, ["label", "tags", "nested.kind"])
    assert row.fields == fields | {"label": "pos", "tags": ["O", "B-PER"], "nested.kind": "a"}
    (row,) = named_rows([Row(1, 0, fields)], classes, ["text"])
    assert row.fields == fields
    odd = ({"label": value} for value in (-1, 7, "pos", None, True))
    found = [row.fields for row in named_rows([Row(1, 0, one) for one in odd], classes, ["label"])]
    assert found == [{"label": value} for value in (None, 7, "pos", None, True)]
