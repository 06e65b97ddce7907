"""A server answers this machine only; one that is open wants its token, which it never prints."""

from __future__ import annotations

import pytest

from tests.conftest import Lstmlm
from tests.serving.conftest import Running, Serve
from tests.tiny import TinyRun

pytestmark = [pytest.mark.slow, pytest.mark.parametrize("exported", ["generate"], indirect=True)]
TOKEN = "a-token-of-some-letters"


def test_a_name_that_points_here_is_refused(server: Running) -> None:
    assert server.ask("/model", Host="evil.example").status == 421
    assert server.ask("/predict", {"inputs": ["a"]}, Host="evil.example:80").status == 421
    assert server.ask("/model", Host="localhost:1").status == 200


def test_another_site_may_not_ask_from_a_browser(server: Running) -> None:
    answer = server.ask("/model", Origin="https://evil.example")
    assert "Access-Control-Allow-Origin" not in answer.headers


def test_an_open_server_wants_its_token(exported: TinyRun, serve: Serve) -> None:
    with serve(exported.export, "--host", "0.0.0.0", LSTMLM_SERVE_TOKEN=TOKEN) as running:
        running.url = running.url.replace("0.0.0.0", "127.0.0.1")
        for path in ("/model", "/metrics"):
            assert running.ask(path).status == 401
            assert running.ask(path, Authorization="Bearer wrong").status == 401
            assert running.ask(path, Authorization=f"Bearer {TOKEN}").status == 200
        assert running.ask("/predict", {"inputs": ["a"]}).status == 401
        assert running.ask("/predict", {"inputs": ["a"]}, Authorization=f"Bearer {TOKEN}").status == 200
        assert running.ask("/healthz").content == {"status": "ok", "token": True}
        assert running.ask("/").status == 200
        assert TOKEN not in running.stop()[1]


@pytest.mark.parametrize(
    ("token", "message"),
    [("", "can be reached from other machines, and there is no token"), ("short", "can be guessed")],
)
def test_an_open_server_without_a_token_does_not_start(
    exported: TinyRun, lstmlm: Lstmlm, token: str, message: str
) -> None:
    done = lstmlm("serve", exported.export, "--host", "0.0.0.0", "--port", "0", env={"LSTMLM_SERVE_TOKEN": token})
    assert (done.returncode, message in done.stderr, done.stderr.count("\n")) == (2, True, 1), done.stderr


def test_a_taken_port_and_a_wrong_setting_are_one_line(server: Running, exported: TinyRun, lstmlm: Lstmlm) -> None:
    port = server.url.rsplit(":", 1)[1]
    for words, message in (
        (["--port", port], "cannot listen"),
        (["--set", "training.steps=3"], "only fields of `decoding` can be set here"),
        (["--set", "decoding.beem=3"], "decoding.beem"),
    ):
        done = lstmlm("serve", exported.export, *words)
        assert (done.returncode, message in done.stderr, done.stderr.count("\n")) == (2, True, 1), done.stderr
