"""The URL of the server of ML Metadata, and the names of pipelines on it."""

from __future__ import annotations

from pathlib import Path

import pytest

from lstmlm.errors import UserError

pytestmark = pytest.mark.tfx


def test_a_url_gives_every_part_of_a_connection() -> None:
    from pipelines.metadata.place import named, of_url

    found = of_url("mariadb://me%40home:p%3Aq@db.example/runs")
    server = found.mysql
    assert (server.host, server.port, server.user) == ("db.example", 3306, "me@home")
    assert (server.password, server.database) == ("p:q", "runs")
    assert named(found) == "mysql://db.example:3306/runs"
    assert of_url("mysql://a@localhost/b").mysql.host == "127.0.0.1"
    other = of_url("postgres://me:it%27s%5C@10.0.0.1:99/runs").postgresql
    assert (other.host, other.port, other.dbname) == ("10.0.0.1", "99", "runs")
    assert (other.user, other.password) == ("'me'", r"'it\'s\\'")


@pytest.mark.parametrize(
    "url",
    [
        "sqlite:///tmp/x",
        "postgresql://host/runs",
        "postgresql://me:secret@host",
        "postgresql://me:secret@host/",
        "postgresql://me:secret@host:port/runs",
        "postgresql://me:secret@/runs",
        "mysql://me:secret@host/a/b",
        "mysql://me:secret@host/runs?ssl=1",
        "secret",
    ],
)
def test_another_form_is_refused_without_the_password(url: str) -> None:
    from pipelines.metadata.place import of_url

    with pytest.raises(UserError, match=r"LSTMLM_METADATA: .* Write postgresql://USER") as caught:
        of_url(url)
    assert "secret" not in str(caught.value)


def test_without_a_server_a_pipeline_has_the_recipe_s_name(monkeypatch: pytest.MonkeyPatch) -> None:
    from pipelines.metadata.place import VARIABLE, pipeline_name

    here, there = Path("/a/demo"), Path("/b/demo")
    monkeypatch.delenv(VARIABLE, raising=False)
    assert pipeline_name("demo", here) == "demo"
    monkeypatch.setenv(VARIABLE, "postgresql://me@host/runs")
    assert len({pipeline_name("demo", home) for home in (here, there)}) == 2
    assert pipeline_name("demo", here) == pipeline_name("demo", here)
