"""Events of OpenLineage as a reader gets them over HTTP; each has the form that the specification asks for."""

from __future__ import annotations

import http.server
import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from lstmlm.cli.app import run
from lstmlm.monitoring.openlineage import wanted
from lstmlm.publish.folder import read_manifest
from tests.stores import free_port

Event = dict[str, Any]

FACETS = {
    "type": "object",
    "additionalProperties": {
        "type": "object",
        "required": ["_producer", "_schemaURL"],
        "properties": {"_producer": {"format": "uri"}, "_schemaURL": {"format": "uri"}},
    },
}
DATASET = {
    "type": "object",
    "required": ["namespace", "name"],
    "properties": {"namespace": {"type": "string"}, "name": {"type": "string"}, "facets": FACETS},
}
RUN_EVENT = {
    "type": "object",
    "required": ["eventTime", "producer", "schemaURL", "run", "job"],
    "properties": {
        "eventType": {"enum": ["START", "RUNNING", "COMPLETE", "ABORT", "FAIL", "OTHER"]},
        "eventTime": {"type": "string", "format": "date-time"},
        "producer": {"type": "string", "format": "uri"},
        "schemaURL": {"type": "string", "format": "uri"},
        "run": {
            "type": "object",
            "required": ["runId"],
            "properties": {"runId": {"type": "string", "format": "uuid"}, "facets": FACETS},
        },
        "job": {
            "type": "object",
            "required": ["namespace", "name"],
            "properties": {"namespace": {"type": "string"}, "name": {"type": "string"}, "facets": FACETS},
        },
        "inputs": {"type": "array", "items": DATASET},
        "outputs": {"type": "array", "items": DATASET},
    },
}
"""What the specification, version 2, demands of a run event."""


@pytest.fixture
def events(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Event]]:
    """What a reader of this machine gets."""
    found: list[Event] = []

    class Reader(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            event = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            jsonschema.validate(event, RUN_EVENT, format_checker=jsonschema.FormatChecker())
            found.append(event)
            self.send_response(201)
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Reader)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv("OPENLINEAGE_URL", f"http://127.0.0.1:{server.server_port}")
    yield found
    server.shutdown()
    server.server_close()


@pytest.fixture
def recipe(tmp_path: Path) -> Path:
    (tmp_path / "train.txt").write_text("".join(f"a line of some words, {number}\n" for number in range(300)))
    path = tmp_path / "small.yaml"
    path.write_text(f"name: small\ntask: generate\ncorpus: {{root: {tmp_path}, train: train.txt}}\n")
    return path


def states(events: list[Event]) -> list[tuple[str, str]]:
    return [(event["job"]["name"], event["eventType"]) for event in events]


def test_two_stages_are_linked_by_what_they_read_and_write(events: list[Event], recipe: Path, tmp_path: Path) -> None:
    records = tmp_path / "records"
    assert run(["ingest", str(recipe), "-o", str(records)]) == 0
    assert (
        run(["examples", str(recipe), "--records", str(records), "--tokenizer", "nowhere", "-o", str(tmp_path / "x")])
        != 0
    )
    assert states(events) == [
        ("small.ingest", "START"), ("small.ingest", "COMPLETE"), ("small.examples", "START"), ("small.examples", "FAIL")
    ]  # fmt: skip
    start, end, later, fail = events
    assert start["run"]["runId"] == end["run"]["runId"] != later["run"]["runId"]
    assert start["inputs"][0]["name"] == str(tmp_path / "train.txt")
    (made,) = end["outputs"]
    manifest = read_manifest(records)
    assert (made["namespace"], made["name"]) == ("file", str(records))
    assert made["facets"]["version"]["datasetVersion"] == manifest.fingerprint
    assert made["outputFacets"]["outputStatistics"]["fileCount"] == len(manifest.files)
    assert made["outputFacets"]["outputStatistics"]["size"] == sum(file["bytes"] for file in manifest.files.values())
    source = next(one for one in later["inputs"] if one["name"] == str(records))
    assert source["facets"]["version"]["datasetVersion"] == manifest.fingerprint
    assert "nowhere" in fail["run"]["facets"]["errorMessage"]["message"]
    assert "stackTrace" not in fail["run"]["facets"]["errorMessage"]


def test_the_parent_is_what_the_scheduler_names(
    events: list[Event], recipe: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    parent = "3f5e83fa-3480-44ff-99c5-ff943904e5e8"
    monkeypatch.setenv("OPENLINEAGE_PARENT_ID", f"airflow/daily.task/{parent}")
    monkeypatch.setenv("OPENLINEAGE_NAMESPACE", "texts")
    assert run(["ingest", str(recipe), "-o", str(tmp_path / "records")]) == 0
    facet = events[-1]["run"]["facets"]["parent"]
    assert (facet["job"]["namespace"], facet["job"]["name"]) == ("airflow", "daily.task")
    assert facet["run"]["runId"] == parent
    assert events[-1]["job"]["namespace"] == "texts"


@pytest.mark.slow  # the client tries for ten seconds
def test_a_reader_that_is_away_is_reported_once_and_costs_nothing(
    recipe: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("OPENLINEAGE_URL", f"http://127.0.0.1:{free_port()}")
    assert run(["ingest", str(recipe), "-o", str(tmp_path / "records")]) == 0
    assert capsys.readouterr().err.count("OpenLineage events are not sent") == 1


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({}, False),
        ({"OPENLINEAGE_URL": "http://x"}, True),
        ({"OPENLINEAGE_CONFIG": "a.yml"}, True),
        ({"OPENLINEAGE__TRANSPORT__TYPE": "console"}, True),
        ({"OPENLINEAGE_URL": "http://x", "OPENLINEAGE_DISABLED": "true"}, False),
    ],
)
def test_only_an_environment_that_names_a_reader_wants_events(environment: dict[str, str], expected: bool) -> None:
    assert wanted(environment) == expected
