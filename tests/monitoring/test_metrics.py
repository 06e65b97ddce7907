"""What Prometheus reads while a command works, read by its own parser and, where there is one, by a real Prometheus."""

from __future__ import annotations

import contextlib
import itertools
import json
import re
import shutil
import socket
import subprocess
import sys
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import Metric
from prometheus_client.parser import text_string_to_metric_families

from lstmlm.cli.app import run
from lstmlm.decoding.meter import Meter
from lstmlm.errors import UserError
from lstmlm.monitoring.endpoint import parse_address, start
from lstmlm.monitoring.metrics import StageMetrics
from lstmlm.progress import numbers_of
from lstmlm.serving.metrics import Metrics
from tests.replaced_stage import WORDS, write_program
from tests.stores import free_port, listens
from tests.waiting import wait_until

HALF_WAY = """
progress.update(3, 12, unit="steps", note="loss 4.2", numbers={"loss": 4.25})
while not Path("go").exists():
    time.sleep(0.01)
with publish(output, "tokenizer") as draft:
    draft.facts = {"vocabulary": 1}
    (draft.path / "whole").write_text("x")
progress.update(12, 12, unit="steps")
from lstmlm.publish.folder import read_manifest
return read_manifest(output)
"""

ROOT = Path(__file__).resolve().parents[2]

Samples = dict[tuple[str, ...], float]
Started = Callable[..., tuple[str, "subprocess.Popen[str]"]]


def samples(families: Iterable[Metric]) -> Samples:
    """Returns each sample by its name, its stage and its other label."""
    return {
        (one.name, *(one.labels[label] for label in sorted(one.labels, key=lambda label: label != "stage"))): one.value
        for family in families
        for one in family.samples
    }


def scraped(address: str) -> Samples:
    with urllib.request.urlopen(f"http://{address}/metrics", timeout=10) as answer:
        return samples(text_string_to_metric_families(answer.read().decode()))


@pytest.fixture
def program(tmp_path: Path) -> Iterator[Started]:
    """Starts `lstmlm --metrics 0 tokenizer` with a stage that waits half way; returns its address."""
    running: list[subprocess.Popen[str]] = []

    def begin(options: Sequence[str] = ("--metrics", "0")) -> tuple[str, subprocess.Popen[str]]:
        write_program(tmp_path, HALF_WAY, supervised=False)
        command = [sys.executable, WORDS[0], *options, *WORDS[1:]]
        process = subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE, text=True)
        running.append(process)
        assert process.stderr is not None
        said = process.stderr.readline()
        assert said.startswith("lstmlm: metrics on port "), said
        return f"127.0.0.1:{said.split()[-1]}", process

    yield begin
    for process in running:
        process.kill()
        process.wait()
        assert process.stderr is not None
        process.stderr.close()


def test_a_stage_at_work_is_seen(program: Started, tmp_path: Path) -> None:
    address, process = program()
    wait_until(lambda: ("lstmlm_stage_done", "tokenizer", "steps") in scraped(address), "the stage")
    found = scraped(address)
    assert found["lstmlm_stage_done", "tokenizer", "steps"] == 3
    assert found["lstmlm_stage_units", "tokenizer", "steps"] == 12
    assert found["lstmlm_stage_value", "tokenizer", "loss"] == 4.25
    assert found["lstmlm_stage_running", "tokenizer"] == 1
    assert found["lstmlm_stage_seconds", "tokenizer"] > 0
    (tmp_path / "go").touch()
    _, said = process.communicate()
    assert process.returncode == 0, said


def test_it_listens_on_this_machine_only(program: Started) -> None:
    port = int(program()[0].rpartition(":")[2])
    addresses = {found[4][0] for found in socket.getaddrinfo(socket.gethostname(), None)} - {"127.0.0.1", "::1"}
    assert listens(port)
    for address in addresses:
        with socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET) as probe:
            assert probe.connect_ex((address, port)) != 0


def test_how_stages_end_is_counted() -> None:
    clock = itertools.count(10.0, 2.5)
    metrics = StageMetrics(clock.__next__)
    metrics.started("train")
    metrics.progress("train", 1, None, "steps", {"loss": 2.0})
    metrics.finished("train", "failed")
    metrics.started("train")
    metrics.progress("train", 2, 4, "steps")
    metrics.finished("train", "done")
    found = samples(metrics.registry.collect())
    assert found["lstmlm_stages_ended_total", "train", "failed"] == 1
    assert found["lstmlm_stages_ended_total", "train", "done"] == 1
    assert found["lstmlm_stage_running", "train"] == 0
    assert ("lstmlm_stage_value", "train", "loss") not in found  # of the first try


@pytest.mark.parametrize("address", ["", "x", "1.2.3.4", "host:", "99999", "host:-1"])
def test_an_address_that_is_none_is_one_line(address: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(UserError, match="is no address"):
        parse_address(address)
    assert run(["--metrics", address, "recipe", "tasks"]) == 2
    assert "--metrics" in capsys.readouterr().err


def test_a_taken_port_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    _, port = start("0")
    assert run(["--metrics", str(port), "recipe", "tasks"]) == 2
    assert capsys.readouterr().err == (
        f"lstmlm: --metrics: 127.0.0.1:{port} cannot be listened on (Address already in use). "
        "Name another port; 0 takes a free one\n"
    )


def dashboard_queries() -> list[str]:
    """Returns the queries of the dashboard, of all instances."""
    board = json.loads((ROOT / "deploy/grafana/lstmlm.json").read_text())
    return [target["expr"].replace("$instance", ".*") for panel in board["panels"] for target in panel["targets"]]


def test_the_dashboard_asks_for_what_there_is() -> None:
    stages, meter = StageMetrics(), Meter()
    stages.started("train")
    stages.progress("train", 1, 2, "steps", {"loss": 1.0})
    stages.finished("train", "done")
    served = text_string_to_metric_families(Metrics(meter, lambda: 0).text().decode())
    known = {sample.name for family in (*stages.registry.collect(), *served) for sample in family.samples}
    asked = {name for query in dashboard_queries() for name in re.findall(r"lstmlm_\w+", query)}
    assert asked - known <= {"lstmlm_requests_total", "lstmlm_request_seconds_bucket"}  # there after the first request


def test_numbers_of_a_row() -> None:
    assert numbers_of({"step": 3, "loss": 0.5, "best": True, "name": "x", "none": None}) == {"step": 3.0, "loss": 0.5}


@pytest.mark.slow
def test_a_real_prometheus_reads_it(program: Started, tmp_path: Path) -> None:
    prometheus = shutil.which("prometheus")
    if prometheus is None:
        pytest.skip("no Prometheus on this machine: apt-get install prometheus")
    address, _ = program()
    (tmp_path / "prometheus.yml").write_text(
        "global: {scrape_interval: 1s}\n"
        f"scrape_configs: [{{job_name: lstmlm, static_configs: [{{targets: ['{address}']}}]}}]\n"
    )
    port = free_port()
    flags = [f"--web.listen-address=127.0.0.1:{port}", "--config.file=prometheus.yml", "--storage.tsdb.path=data"]
    server = subprocess.Popen([prometheus, *flags], cwd=tmp_path, stderr=subprocess.DEVNULL)
    try:
        wait_until(lambda: listens(port), "Prometheus")
        found = wait_until(lambda: _asked(port, "lstmlm_stage_value"), "a scrape")
        assert found[0]["metric"]["stage"] == "tokenizer"
        assert found[0]["value"][1] == "4.25"
        for query in dashboard_queries():
            assert isinstance(_asked(port, query), list), query
    finally:
        server.terminate()
        server.wait()


def _asked(port: int, query: str) -> Any:
    """Returns what Prometheus knows; nothing while it still reads its own files."""
    with (
        contextlib.suppress(urllib.error.HTTPError),
        urllib.request.urlopen(
            f"http://127.0.0.1:{port}/api/v1/query?{urllib.parse.urlencode({'query': query})}", timeout=10
        ) as answer,
    ):
        return json.load(answer)["data"]["result"]
