from __future__ import annotations

import pickle

import pytest

from lstmlm.errors import BelowThreshold, ExitCode, UserError


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (UserError("no such file"), "no such file"),
        (UserError("no such file", where="a.txt:3"), "a.txt:3: no such file"),
        (UserError("no such file", where="a.txt:3", cure="Check it"), "a.txt:3: no such file. Check it"),
    ],
)
def test_a_user_error_is_one_line_of_what_where_and_cure(error: UserError, line: str) -> None:
    assert str(error) == line


@pytest.mark.parametrize("kind", [UserError, BelowThreshold])
def test_errors_keep_their_parts_between_processes(kind: type[UserError]) -> None:
    error = pickle.loads(pickle.dumps(kind("too high", where="metrics", cure="Train longer")))
    assert type(error) is kind
    assert (error.what, error.where, error.cure) == ("too high", "metrics", "Train longer")


def test_exit_codes_are_what_the_documentation_says() -> None:
    assert [int(code) for code in ExitCode] == [0, 1, 2, 3, 130]
