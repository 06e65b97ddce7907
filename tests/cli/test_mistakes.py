"""Typical mistakes in recipes and commands: exit 2, a line a fault, with file, line, field and what to do."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from lstmlm.cli.app import run
from lstmlm.recipe.file import parse_recipe
from lstmlm.recipe.recipe import Recipe

GOOD = """\
name: small
task: generate
corpus:
  train: a.jsonl
tokenizer:
  vocabulary: 400
model:
  units: 32
training:
  steps: 10
  warmup: 2
evaluation:
  thresholds:
    perplexity: {max: 100}
decoding:
  method: greedy
inference:
  input: a.jsonl
"""
LIBRARIES = re.compile(
    r"Input should|valid (integer|string|number|boolean|dictionary|tuple)|Value error|pydantic|Extra"
)


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("a.jsonl").write_text('{"text": "a line", "fr": "une ligne"}\n', encoding="utf-8")
    Path("a.txt").write_text("a line\n", encoding="utf-8")
    Path("tokenizer.json").write_text("{}", encoding="utf-8")
    monkeypatch.delenv("NOT_SET", raising=False)


def _faults(text: str | bytes, capsys: pytest.CaptureFixture[str], *options: str) -> list[str]:
    """Returns what `recipe check` says, a line each, after the checks that hold for every mistake."""
    Path("r.yaml").write_bytes(text.encode("utf-8") if isinstance(text, str) else text)
    assert run(["recipe", "check", "r.yaml", *options]) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    lines = shown.err.splitlines()
    assert lines
    for line in lines:
        assert line.startswith("lstmlm: ")
        assert not LIBRARIES.search(line), "the words of a library"
        assert re.search(r"[.?!] \S.+", line), "what to do"
    return [line.removeprefix("lstmlm: ") for line in lines]


@pytest.mark.parametrize(
    ("old", "new", "begins"),
    [
        # names of fields
        ("  steps: 10", "  step: 10", "r.yaml:10: training.step: no such field. Did you mean `steps`?"),
        ("  steps: 10", "  lr: 0.1", "r.yaml:10: training.lr: no such field. It is called `learning_rate` here"),
        ("  steps: 10", "  epochs: 3", "r.yaml:10: training.epochs: no such field. It is called `steps` here"),
        (
            "name: small",
            "name: small\nsteps: 5",
            "r.yaml:2: steps: no such field. It belongs in the section `training`",
        ),
        ("training:", "trainin:", "r.yaml:9: trainin: no such field. Did you mean `training`?"),
        ("  units: 32", "  hidden_size: 32", "r.yaml:8: model.hidden_size: no such field. It is called `units` here"),
        ("name: small\n", "", "r.yaml: name: required, and not given. Add `name: my-run`"),
        ("task: generate\n", "", "r.yaml: task: required, and not given. Add `task: generate`"),
        ("  train: a.jsonl", "  source: text", "r.yaml:3: corpus.train: required, and not given. Add `train: corpus"),
        # types and bounds
        ("steps: 10", "steps: many", 'r.yaml:10: training.steps: must be a whole number > 0, and is "many"'),
        ("steps: 10", "steps: 0", "r.yaml:10: training.steps: must be a whole number > 0, and is 0"),
        ("steps: 10", "steps: 1.5", "r.yaml:10: training.steps: must be a whole number > 0, and is 1.5"),
        ("steps: 10", "steps: true", "r.yaml:10: training.steps: must be a whole number > 0, and is true"),
        ("steps: 10", "steps: 12:30", 'r.yaml:10: training.steps: must be a whole number > 0, and is "12:30"'),
        ("steps: 10", "steps: [10]", "r.yaml:10: training.steps: must be a whole number > 0, and is [10]"),
        ("steps: 10", "steps:", "r.yaml:10: training.steps: must be a whole number > 0, and is empty"),
        ("steps: 10", "steps: 10\n  learning_rate: .nan", "r.yaml:11: training.learning_rate: must be a number > 0"),
        ("steps: 10", "steps: 10\n  learning_rate: .inf", "r.yaml:11: training.learning_rate: must be a number > 0"),
        ("steps: 10", "steps: 10\n  learning_rate: 1e-", "r.yaml:11: training.learning_rate: must be a number > 0"),
        ("steps: 10", "steps: 10\n  use_gpu: maybe", "r.yaml:11: training.use_gpu: must be true or false"),
        ("steps: 10", "steps: 10\n  workers: [4, 2]", "r.yaml:11: training.workers: workers are 4 at least and 2"),
        ("name: small", "name: Small Run", "r.yaml:1: name: must be text matching"),
        ("a.jsonl", "[a.jsonl, b.jsonl]", "r.yaml:4: corpus.train: must be text, and is"),
        ("a.jsonl", "{file: a.jsonl}", "r.yaml:4: corpus.train: must be text, and is a section"),
        ("a.jsonl", "a.jsonl\n  languages: en", 'r.yaml:5: corpus.languages: must be a list (text), and is "en"'),
        ("a.jsonl", "a.jsonl\n  languages: [null]", "r.yaml:5: corpus.languages.0: must be text, and is empty"),
        (
            "a.jsonl",
            "a.jsonl\n  quality: [gofer]",
            "r.yaml:5: corpus.quality.0: no quality rule set named 'gofer'. Did you mean `gopher`?",
        ),
        ("method: greedy", "method: beem", "r.yaml:16: decoding.method: must be `greedy` or `sample` or `beam`"),
        ("{max: 100}", "100", "r.yaml:14: evaluation.thresholds.perplexity: must be a section with fields, and is 100"),
        ("training:\n  steps: 10\n  warmup: 2", "training: 10", "r.yaml:9: training: must be a section with fields"),
        ("model:\n  units: 32", "model:", "r.yaml:7: model: must be a section with fields, and is empty"),
        # what does not go together
        ("method: greedy", "n_best: 3", "r.yaml:16: decoding.n_best: `n_best` needs method beam or sample"),
        ("method: greedy", "min_tokens: 65", "r.yaml:16: decoding.min_tokens: min_tokens is 65, and max_tokens 64"),
        ("warmup: 2", "warmup: 20", "r.yaml:11: training.warmup: 20 steps of warm-up, and training.steps is 10"),
        (
            "warmup: 2",
            "early_stop: 3",
            "r.yaml:11: training.early_stop: training evaluates once, every 200 of 10 steps: 3 in a row after the best "
            "would not end it early. Lower training.evaluate_every",
        ),
        (
            "warmup: 2",
            "early_stop: 3\n  evaluate_every: 4",
            "r.yaml:11: training.early_stop: training evaluates 3 times, every 4 of 10 steps: 3 in a row after the "
            "best would not end it early. Set it to at most 2, or lower",
        ),
        (
            "warmup: 2",
            "keep_best: 4\n  evaluate_every: 4",
            "r.yaml:11: training.keep_best: training evaluates 3 times, every 4 of 10 steps: there are no 4 "
            "evaluations to keep the best of. Set it to at most 3",
        ),
        ("units: 32", "cutoffs: [9]", "r.yaml:8: model.cutoffs: only for model.softmax=adaptive, and it is full"),
        (
            "units: 32",
            "cutoffs: [90, 400]\n  softmax: adaptive",
            "r.yaml:8: model.cutoffs: 400 is beyond the vocabulary, and tokenizer.vocabulary is 400. Set each to less",
        ),
        (
            "units: 32",
            "cutoffs: [90, 30]\n  softmax: adaptive",
            "r.yaml:8: model.cutoffs: must rise, and is [90, 30]. Write [30, 90]",
        ),
        ("units: 32", "pointer: true", "r.yaml:8: model.pointer: only for tasks of pairs"),
        ("warmup: 2", "metric: bleu", "r.yaml:11: training.metric: task `generate` has no training metric 'bleu'"),
        (
            "perplexity:",
            "perplexty:",
            "r.yaml:14: evaluation.thresholds.perplexty: task `generate` has no evaluation metric",
        ),
        ("{max: 100}", "{}", "r.yaml:14: evaluation.thresholds.perplexity: the threshold has no bound"),
        ("{max: 100}", "{min: 9, max: 1}", "r.yaml:14: evaluation.thresholds.perplexity: min 9.0 is above max 1.0"),
        ("generate", "generat", "r.yaml:2: task: no task named 'generat'. Did you mean `generate`?"),
        ("a.jsonl", "a.jsonl\n  languages: [english]", "r.yaml:5: corpus.languages.0: no language has the code 'eng"),
        (
            "a.jsonl",
            "a.jsonl\n  languages: [EN]",
            "r.yaml:5: corpus.languages.0: no language has the code 'EN'. Write `en`",
        ),
        ("a.jsonl", "a.jsonl\n  privacy: {action: pseudonym}", "r.yaml:5: corpus.privacy.key: pseudonyms need a key"),
        (
            "a.jsonl",
            "a.jsonl\n  privacy: {kinds: [phone], regions: [UK]}",
            "r.yaml:5: corpus.privacy.regions.0: 'UK' is",
        ),
        # files
        ("train: a.jsonl", "train: b.jsonl", "r.yaml:4: corpus.train: ./b.jsonl: no such file in the corpus"),
        ("train: a.jsonl", 'train: "*.csv"', "r.yaml:4: corpus.train: ./*.csv: no such file in the corpus"),
        ("train: a.jsonl", "train: /tmp/a.jsonl", "r.yaml:4: corpus.train: /tmp/a.jsonl is absolute"),
        ("train: a.jsonl", "train: ../a.jsonl", "r.yaml:4: corpus.train: '../a.jsonl' leads out of corpus.root"),
        ("train: a.jsonl", "train: a.jsonl\n  root: nowhere", "r.yaml:5: corpus.root: nowhere does not exist"),
        ("train: a.jsonl", "train: a.jsonl\n  root: a.txt", "r.yaml:5: corpus.root: a.txt is not a folder"),
        ("train: a.jsonl", "train: a.jsonl\n  valid: v.jsonl", "r.yaml:5: corpus.valid: ./v.jsonl: no such file"),
        (
            "train: a.jsonl",
            "train: a.jsonl\n  root: ${NOT_SET}/x",
            "r.yaml:5: corpus.root: the environment variable NOT_",
        ),
        (
            "train: a.jsonl",
            "train: a.jsonl\n  decontamination: {files: [t.jsonl]}",
            "r.yaml:5: corpus.decontamination.files.0: ./t.jsonl: no such file",
        ),
        (
            "train: a.jsonl",
            "train: a.jsonl\n  mixture: [{files: b.jsonl}]",
            "r.yaml:5: corpus.mixture.0.files: no train file matches 'b.jsonl'",
        ),
        ("vocabulary: 400", "model: t.model", "r.yaml:6: tokenizer.model: t.model does not exist"),
        ("vocabulary: 400", "model: a.txt", "r.yaml:6: tokenizer.model: a.txt is no vocabulary"),
        ("input: a.jsonl", "input: prompts.jsonl", "r.yaml:18: inference.input: ./prompts.jsonl: no such file"),
        # YAML
        ("steps: 10", "steps: 10\n  steps: 20", "r.yaml:11: training.steps: given twice, first in line 10"),
        ("  steps: 10", "\tsteps: 10", "r.yaml:10: not valid YAML: a tab"),
        ("a.jsonl", "*.jsonl", "r.yaml:4: not valid YAML: * and & have a meaning in YAML. Quote a value"),
        ("a.jsonl", '"a.jsonl', "not valid YAML: a quotation mark that is not closed"),
        ("{max: 100}", "{max: 100", "not valid YAML: a section whose { is not closed"),
        ("  steps: 10", "   steps: 10", "r.yaml:11: not valid YAML: this does not fit the lines above"),
        ("name: small", "name: small: big", "r.yaml:1: not valid YAML: a `key: value` where none can be"),
        ("name: small", "name: a\n---\nname: b", "r.yaml:2: not valid YAML: more than one document"),
        ("name: small", "name: @small", "r.yaml:1: not valid YAML: a value cannot begin with this character"),
        ("name: small", "name: !!python/name:os.system", "r.yaml:1: not valid YAML: the tag"),
    ],
)
def test_a_mistake_in_a_recipe_is_a_line(old: str, new: str, begins: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert old in GOOD
    (line,) = _faults(GOOD.replace(old, new, 1), capsys)
    assert line.startswith(begins) or (begins.startswith("not valid") and begins in line)


@pytest.mark.parametrize(
    ("option", "begins"),
    [
        ("training.steps", "--set training.steps: not of the form section.field=value"),
        ("training.stepz=1", "--set training.stepz: training.stepz: no such field. Did you mean `steps`?"),
        ("traning.steps=1", "--set traning.steps: traning: no such field. Did you mean `training`?"),
        ("steps=1", "--set steps: steps: no such field. It belongs in the section `training`"),
        ("training.steps=ten", '--set training.steps: training.steps: must be a whole number > 0, and is "ten"'),
        ("training.steps=", "--set training.steps: training.steps: must be a whole number > 0, and is empty"),
        ("name.x=1", "--set name.x=1: `name` is not a section"),
        ("corpus.languages=[en", "--set corpus.languages=[en: the value is not valid YAML"),
        ("corpus.train=b.jsonl", "--set corpus.train: corpus.train: ./b.jsonl: no such file"),
        (
            "evaluation.thresholds.bleu.min=3",
            "--set evaluation.thresholds.bleu.min: evaluation.thresholds.bleu: task `generate` has no ev",
        ),
        ("task=translate", "r.yaml:3: corpus.target: task translate needs pairs"),
    ],
)
def test_a_mistake_in_set_is_a_line(option: str, begins: str, capsys: pytest.CaptureFixture[str]) -> None:
    lines = _faults(GOOD, capsys, "--set", option)
    assert any(line.startswith(begins) for line in lines)
    assert len(lines) == (2 if option == "task=translate" else 1)  # there, its metric is not measured either


@pytest.mark.parametrize(
    ("content", "begins"),
    [
        (b"", "r.yaml: the recipe is empty"),
        (b"# nothing\n", "r.yaml: the recipe is empty"),
        (b"- a\n- b\n", "r.yaml: a recipe is a mapping"),
        (b"just text", "r.yaml: a recipe is a mapping"),
        ("name: é".encode("latin-1"), "r.yaml:1: the recipe is not UTF-8"),
        (b"\x89PNG\r\n\x1a\n\0\0", "r.yaml:1: the recipe is not UTF-8"),
        (b"name: a\nb: \0\n", "r.yaml:2: not valid YAML: a control character"),
    ],
)
def test_what_is_no_recipe_is_a_line(content: bytes, begins: str, capsys: pytest.CaptureFixture[str]) -> None:
    (line,) = _faults(content, capsys)
    assert line.startswith(begins)


@pytest.mark.parametrize(
    "content", [GOOD.encode("utf-8-sig"), GOOD.replace("\n", "\r\n").encode(), GOOD.encode("utf-16")]
)
def test_marks_and_line_ends_of_other_editors_are_read(content: bytes) -> None:
    Path("r.yaml").write_bytes(content)
    assert run(["recipe", "check", "r.yaml"]) == 0


def test_all_faults_are_reported_at_once(capsys: pytest.CaptureFixture[str]) -> None:
    text = GOOD
    for old, new in [
        ("a.jsonl", "missing.jsonl"),
        ("steps: 10", "steps: ten"),
        ("greedy", "beem"),
        ("perplexity", "perplexty"),
        ("units: 32", "units: 32\n  unitz: 3"),
        ("vocabulary: 400", "vocabulary: 4"),
        ("name: small", "name: small\nname: other"),
    ]:
        text = text.replace(old, new)
    lines = _faults(text, capsys)
    numbers = [int(line.split(":")[1]) for line in lines]
    assert numbers == sorted(numbers) == [2, 5, 7, 10, 12, 16, 18, 20]


@pytest.mark.parametrize(
    ("field", "value", "found"),
    [
        ("corpus.source", "007", "007"),
        ("corpus.source", "no", "no"),
        ("corpus.source", "on", "on"),
        ("corpus.source", "12:30", "12:30"),
        ("corpus.source", "2024-01-01", "2024-01-01"),
        ("corpus.source", "1e3", "1e3"),
        ("corpus.source", "true", "true"),
        ("corpus.languages", "[no, en]", ("no", "en")),
        ("corpus.shuffle", "yes", True),
        ("corpus.shuffle", "off", False),
        ("seed", "010", 10),
        ("seed", "0x10", 16),
        ("training.steps", "1_000", 1000),
        ("training.steps", "1e3", 1000),
        ("training.learning_rate", "1e-3", 0.001),
        ("training.workers", "[1, 4]", (1, 4)),
    ],
)
def test_values_are_read_as_they_are_meant(field: str, value: str, found: object) -> None:
    section, _, name = field.rpartition(".")
    for recipe in (_with_line(section, f"{name}: {value}"), parse_recipe(GOOD, "r.yaml", [f"{field}={value}"])):
        assert getattr(getattr(recipe, section) if section else recipe, name) == found


def _with_line(section: str, line: str) -> Recipe:
    """Returns the good recipe with a line at the top level, or at the beginning of a section."""
    name = line.partition(":")[0]
    kept = "".join(one for one in GOOD.splitlines(keepends=True) if not one.strip().startswith(f"{name}:"))
    text = kept.replace(f"{section}:\n", f"{section}:\n  {line}\n", 1) if section else f"{line}\n{kept}"
    return parse_recipe(text, "r.yaml")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["recipe", "check", "absent.yaml"], "absent.yaml: cannot read the recipe (No such file or directory)"),
        (["recipe", "check", "."], ".: cannot read the recipe: a folder, not a file"),
        (["run", "absent.yaml"], "absent.yaml: cannot read the recipe"),
        (["run", "absent.yaml", "--stage", "trian", "--run-id", "1"], "--stage: no stage named 'trian'"),
        (["ingest", "absent.yaml", "-o", "x"], "absent.yaml: cannot read the recipe"),
        (["recipe", "chek"], "No such command 'chek'"),
    ],
)
def test_a_mistake_in_a_command_is_a_line(
    words: list[str], message: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lstmlm.cli.pipeline.need_package", lambda module, extra: None)
    assert run(words) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert message in line


def test_a_check_imports_nothing_heavy() -> None:
    Path("r.yaml").write_text(GOOD, encoding="utf-8")
    code = (
        "import sys\nfrom lstmlm.cli.app import run\nassert run(['recipe', 'check', 'r.yaml']) == 0\n"
        "print('HEAVY', sorted(set(sys.modules) & {'tensorflow', 'apache_beam', 'ray', 'tfx', 'kfp', 'onnxruntime'}))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120)
    assert done.stdout.splitlines()[-1] == "HEAVY []"
