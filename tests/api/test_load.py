"""Models are loaded from folders, from the versions of a run, and from servers; a wrong place is one line."""

from __future__ import annotations

import functools
import http.server
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

import lstmlm
from tests.tiny import TinyRun

pytestmark = pytest.mark.parametrize("exported", ["generate"], indirect=True)


class _Quiet(http.server.SimpleHTTPRequestHandler):
    asked: list[str]

    def log_message(self, format: str, *args: object) -> None:
        self.asked.append(self.path)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[tuple[str, Path, list[str]]]:
    """A web server's URL, its folder, and what it was asked for."""
    folder, asked = tmp_path / "served", list[str]()
    folder.mkdir()
    handler = functools.partial(type("Handler", (_Quiet,), {"asked": asked}), directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as running:
        thread = threading.Thread(target=running.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{running.server_port}", folder, asked
        running.shutdown()
        thread.join()


def test_an_export_of_a_server_is_copied_once(
    exported: TinyRun, server: tuple[str, Path, list[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url, folder, asked = server
    monkeypatch.setenv("LSTMLM_CACHE", str(tmp_path / "cache"))
    shutil.copytree(exported.export, folder / "my model")
    texts = ["the statement"]
    expected = lstmlm.load(exported.export).generate(texts)
    assert lstmlm.load(f"{url}/my%20model/").generate(texts) == expected
    before = len(asked)
    assert lstmlm.load(f"{url}/my%20model").generate(texts) == expected
    assert asked[before:] == ["/my%20model/manifest.json"]


def test_a_changed_file_is_refused_and_nothing_is_kept(
    exported: TinyRun, server: tuple[str, Path, list[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url, folder, _ = server
    monkeypatch.setenv("LSTMLM_CACHE", str(tmp_path / "cache"))
    shutil.copytree(exported.export, folder / "model")
    weights = folder / "model" / "decoder.onnx"
    weights.write_bytes(weights.read_bytes()[:-1] + b"\0")
    with pytest.raises(lstmlm.UserError, match=r"decoder\.onnx: differs from the manifest"):
        lstmlm.load(f"{url}/model")
    assert not list((tmp_path / "cache").rglob("manifest.json"))


def test_the_last_version_of_a_run_s_pushed_models_is_loaded(exported: TinyRun, tmp_path: Path) -> None:
    for version in ("9", "10"):
        shutil.copytree(exported.export, tmp_path / "pushed" / version)
    assert lstmlm.load(tmp_path / "pushed").folder.name == "10"


@pytest.mark.parametrize(
    ("place", "message"),
    [
        ("absent", r"absent: no such folder\. Name the output of `lstmlm export`"),
        (".", r"not an export folder"),
        ("ftp://host/model", r"URLs of ftp:// are not read"),
        ("{url}/absent", r"the server answers 404"),
    ],
)
def test_a_wrong_place_is_one_line(
    exported: TinyRun, server: tuple[str, Path, list[str]], tmp_path: Path, place: str, message: str
) -> None:
    named = place.format(url=server[0])
    with pytest.raises(lstmlm.UserError, match=message) as caught:
        lstmlm.load(named if "://" in named else tmp_path / named)
    assert len(str(caught.value).splitlines()) == 1


@pytest.mark.parametrize(
    ("decoding", "message"),
    [
        ({"beem": 3}, r"decoding\.beem: no such field\. Did you mean `beam`"),
        ({"max_tokens": "many"}, r"decoding\.max_tokens: must be a whole number"),
        ({"n_best": 3}, r"needs method beam or sample"),
        ({"replace_unknown": True}, r"a language model has no source"),
    ],
)
def test_a_wrong_way_to_decode_is_one_line(exported: TinyRun, decoding: dict[str, object], message: str) -> None:
    with pytest.raises(lstmlm.UserError, match=message) as caught:
        lstmlm.load(exported.export, decoding=decoding)
    assert len(str(caught.value).splitlines()) == 1
