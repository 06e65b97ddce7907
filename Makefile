# Needs only make and Python 3.11; everything else goes into .uv and .venv next to this file.

PYTHON := $(shell for p in python3.11 python3 python; do \
  $$p -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' 2>/dev/null && echo $$p && break; done)
UV := .uv/bin/uv
UV_VERSION := 0.13.9
BIN := .venv/bin
DEMO := build/demo/python_docs.jsonl

# Images set it to stay small; then every process compiles what it imports again: TFX takes 52 s to import in place of 15.
unexport PYTHONDONTWRITEBYTECODE
export UV_COMPILE_BYTECODE := 1

# Two tests at a time. A process that crashes ends the run: a new one would wait for tests for ever.
TWO := --numprocesses 2 --max-worker-restart 0 --dist loadscope

.PHONY: demo airflow-demo test test-image quick coverage lint format docs site clean fuzz bench-recipes bench-ingest bench-train bench-infer bench-scale bench-scale-training bench-serve bench-tasks bench-power-cut bench-kills bench-adversarial bench-store

demo: .venv/.synced
	$(BIN)/lstmlm demo-corpus -o $(DEMO)
	$(BIN)/lstmlm run pipelines/recipes/demo.yaml

# Tests of Ray take turns, since a cluster takes the whole machine. The others (Airflow's trains on a Ray of its own) fill what
# is left of two cores, at the priority that Ray gives its workers. They print their output at the end.
# By the environment, because absl, which TFX brings along, reads the command line of whoever imports it.
CLUSTERS := ray and not airflow
test: lint
	@mkdir -p build
	@PYTEST_ADDOPTS="-m 'not image and not ($(CLUSTERS))' $(TWO) --no-loadscope-reorder --durations 40" nice -n 15 $(BIN)/python -m pytest > build/tests.log 2>&1 & others=$$!; \
	PYTEST_ADDOPTS="-m '$(CLUSTERS)' --durations 15" $(BIN)/python -m pytest; clusters=$$?; \
	wait $$others; others=$$?; cat build/tests.log; exit $$((clusters || others))

# The container image: built by buildah from the Dockerfile, run by podman as Pods are. Needs root, several gigabytes in
# build/image, and apt-get install buildah podman runc debootstrap catatonit.
test-image: .venv/.synced
	$(BIN)/python -m pytest -m image tests/deploy/image

# Every test without a cluster that takes seconds, two at a time; TESTS="tests/corpus": those in a folder.
FAST := not (slow or ray or tfx or flink or airflow or image)
quick: .venv/.synced
	$(BIN)/python -m pytest -m "$(FAST)" $(TWO) $(TESTS)

# The demo's recipe by an Airflow of its own on 127.0.0.1: database, logs and environment are in build/. RECIPE=FILE: another one.
AIRFLOW := build/airflow-venv
RECIPE ?= pipelines/recipes/demo.yaml
airflow-demo: .venv/.synced $(AIRFLOW)/.installed
	$(BIN)/lstmlm demo-corpus -o $(DEMO)
	$(BIN)/python deploy/airflow/local_airflow.py $(RECIPE) --airflow $(AIRFLOW)/bin/airflow

$(AIRFLOW)/.installed: deploy/airflow/requirements.txt $(UV)
	$(UV) venv --quiet --clear --python "$$(command -v $(PYTHON))" $(AIRFLOW)
	$(UV) pip install --quiet --python $(AIRFLOW)/bin/python -r $<
	touch $@

# Lines that the same tests run through. It takes longer than `quick`, so CI runs it at night.
coverage: .venv/.synced
	$(BIN)/python -m pytest -m "$(FAST)" $(TWO) --cov --cov-report=term:skip-covered

lint: .venv/.synced
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	$(BIN)/python -m tests.words

format: .venv/.synced
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# Mutated files through every reader; FUZZ="--seconds 300 --seed 2": for so long, others. What fails is kept in build/fuzz.
fuzz: .venv/.synced
	$(BIN)/python tests/fuzz/run.py $(FUZZ)

# All recipes; QUICK=1: only the demo; RECIPES="wikitext2 demo": those.
bench-recipes: .venv/.synced
	$(BIN)/python benchmarks/recipes.py $(RECIPES)

# Ingest compared with datatrove, in an environment of its own below build/peers. QUICK=1: less text.
bench-ingest: .venv/.synced
	$(BIN)/python benchmarks/ingest.py $(ROWS)

# Training compared with PyTorch, in an environment of its own: steps, and what minutes buy, which takes hours. ROWS="steps wikitext2
# translate wikitext2_90 translate_60": these; QUICK=1: only steps, and fewer; RECIPES="wikitext2": these recipes too.
bench-train: .venv/.synced
	$(BIN)/python benchmarks/train.py

# Decoding compared with PyTorch, whose environment (5 GB) is made at the first run, and whole jobs, of a model that is trained
# first. QUICK=1: within five minutes; RUN=DIR: a finished run of translate_en_fr; PARTS="engine quality jobs": these.
bench-infer: .venv/.synced
	$(BIN)/python benchmarks/infer.py $(if $(RUN),--run $(RUN)) $(PARTS)

# Every task from its corpus to its predictions, compared with peers in environments of their own. ROWS="classify answer": these;
# QUICK=1: trained for seconds only, within five minutes.
bench-tasks: .venv/.synced
	$(BIN)/python benchmarks/tasks.py

# `lstmlm serve` under 64 clients, compared with the batch engine, and killed in the middle. QUICK=1: fewer texts.
bench-serve: .venv/.synced
	$(BIN)/python benchmarks/serve.py

# 100 power cuts over every stage, on a file system in a loop device (root only); and 300 kills. QUICK=1: fewer.
bench-power-cut: .venv/.synced
	$(BIN)/python benchmarks/power_cut.py

bench-kills: .venv/.synced
	$(BIN)/python benchmarks/kills.py

# Hostile texts of 1 MB through every step of the corpus. STEPS="'privacy, all kinds' normalise": these.
bench-adversarial: .venv/.synced
	$(BIN)/python benchmarks/adversarial.py $(STEPS)

# How files, opens, bytes and memory of ingest grow with the corpus. QUICK=1: within five minutes.
bench-scale: .venv/.synced
	$(BIN)/python benchmarks/scale.py $(ROWS)

# What a training worker reads, and how long its first batch takes with 10 GB of examples, which are written and removed. QUICK=1:
# 1 GB, within five minutes.
bench-scale-training: .venv/.synced
	$(BIN)/python benchmarks/scale_training.py

# The site, in build/site/html; a link that leads nowhere, or a docstring that cannot be read, fails.
site: .venv/.synced
	$(BIN)/python docs/site/pages.py build/site/pages
	$(BIN)/mkdocs build --strict --quiet --config-file docs/site/mkdocs.yml

# Stages on an S3 server of this machine, compared with a disk: bytes, speed, faults of the store, kills. QUICK=1: within five minutes.
bench-store: .venv/.synced
	$(BIN)/python benchmarks/store.py

docs: .venv/.synced
	$(BIN)/lstmlm recipe docs > docs/recipe.md
	$(BIN)/python -m lstmlm.cli.stages.docs docs/architecture.md

clean:
	rm -rf build runs .cache .mypy_cache .pytest_cache .ruff_cache

.venv/.synced: uv.lock pyproject.toml $(UV)
	UV_PYTHON_DOWNLOADS=never $(UV) sync --frozen --python "$$(command -v $(PYTHON))" --extra tfx --extra kubeflow --extra jobs --extra s3 --extra openlineage
	touch $@

$(UV):
	@test -n "$(PYTHON)" || { echo "make: no Python 3.11 found (tried python3.11, python3, python); install it first" >&2; exit 1; }
	$(PYTHON) -m venv .uv
	.uv/bin/python -m pip install --quiet --disable-pip-version-check "uv==$(UV_VERSION)"
