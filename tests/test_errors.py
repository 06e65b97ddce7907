from __future__ import annotations

import errno
import pickle

import pytest

from lstmlm.errors import BelowThreshold, ExitCode, UserError, causes, chain, is_no_space


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (UserError("no such file"), "no such file"),
        (UserError("no such file", where="a.txt:3"), "a.txt:3: no such file"),
        (UserError("no such file", where="a.txt:3", hint="Check it"), "a.txt:3: no such file. Check it"),
    ],
)
def test_a_user_error_is_one_line_of_what_where_and_hint(error: UserError, line: str) -> None:
    assert str(error) == line


@pytest.mark.parametrize("kind", [UserError, BelowThreshold])
def test_errors_keep_their_parts_between_processes(kind: type[UserError]) -> None:
    error = pickle.loads(pickle.dumps(kind("too high", where="metrics", hint="Train longer")))
    assert type(error) is kind
    assert (error.what, error.where, error.hint) == ("too high", "metrics", "Train longer")


def test_exit_codes_are_what_the_documentation_says() -> None:
    assert [int(code) for code in ExitCode] == [0, 1, 2, 3, 75, 130]


class GroupFailed(Exception):
    """Looks as Ray Train's error does."""

    def __init__(self, failures: dict[int, Exception]) -> None:
        super().__init__("failed")
        self.worker_failures = failures


def test_a_chain_holds_everything_behind_an_error_once() -> None:
    first, second, full = ValueError("first"), KeyError("second"), OSError(errno.ENOSPC, "full")
    first.__cause__ = first.__context__ = full
    second.__cause__ = second.__context__ = first
    full.__context__ = second  # Python itself makes such rings
    assert list(chain(second)) == [second, first, full]
    group = GroupFailed({0: second, 1: RuntimeError("other")})
    assert set(map(type, chain(group))) == {GroupFailed, KeyError, ValueError, OSError, RuntimeError}
    assert is_no_space(group)
    assert not is_no_space(OSError(errno.EACCES, "denied"))


def test_an_error_raised_from_itself_has_one_cause() -> None:
    error = ValueError("round")
    error.__cause__ = error
    assert list(causes(error)) == [error]
