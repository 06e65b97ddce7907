"""The command line chooses the runner."""

from __future__ import annotations

import pytest

from lstmlm.errors import UserError
from lstmlm.runners.runner import Runner, choose_runner


def test_flags_of_each_runner() -> None:
    assert choose_runner("direct", None, []).flags() == []
    assert choose_runner("processes", 3, []).flags() == ["--direct_num_workers=3"]
    assert choose_runner("processes", None, []).option("direct_num_workers") == "0"
    assert "--parallelism=4" in choose_runner("flink", 4, []).flags()
    assert choose_runner("dataflow", 2, ["project=p"]).flags() == ["--num_workers=2", "--project=p"]


def test_an_option_of_the_user_holds_over_a_default() -> None:
    runner = choose_runner("flink", None, ["job_endpoint=cluster:1", "streaming"])
    assert runner.option("job_endpoint") == "cluster:1"
    assert runner.option("streaming") == ""
    assert runner.option("no_such") is None
    assert runner.flags().index("--job_endpoint=127.0.0.1:8099") < runner.flags().index("--job_endpoint=cluster:1")


@pytest.mark.parametrize(
    ("name", "workers", "options", "message"),
    [
        ("flnk", None, [], "no runner named 'flnk'. There are: direct, processes, flink, spark, dataflow"),
        ("direct", 2, [], "--workers: .*Add --runner processes"),
        ("spark", 2, [], "--workers: "),
        ("flink", None, ["--parallelism=2"], "not a Beam option: '--parallelism=2'"),
        ("flink", None, [""], "not a Beam option"),
    ],
)
def test_what_the_user_must_fix(name: str, workers: int | None, options: list[str], message: str) -> None:
    with pytest.raises(UserError, match=message):
        choose_runner(name, workers, options)


def test_the_default_is_this_process() -> None:
    assert choose_runner("direct", None, []) == Runner()
