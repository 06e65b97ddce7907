"""What a failure is, and the exit code that a scheduler goes by."""

from __future__ import annotations

import pytest

from lstmlm.cli.failures.faults import exit_code, user_fault
from lstmlm.errors import BelowThreshold, ExitCode, TryAgain, UserError


def raised(outer: Exception, cause: Exception) -> Exception:
    outer.__cause__ = cause
    return outer


class AbortedError(Exception):
    """Named as the error of ML Metadata for a database that another process has locked."""

    __module__ = "ml_metadata.errors"


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (UserError("wrong"), ExitCode.USER),
        (BelowThreshold("too high"), ExitCode.BELOW_THRESHOLD),
        (TryAgain("a lock is held"), ExitCode.TRY_AGAIN),
        (AbortedError("database is locked"), ExitCode.TRY_AGAIN),
        (PermissionError(13, "denied", "/x"), ExitCode.USER),
        (RuntimeError("a stack of C++: No space left on device"), ExitCode.USER),
        (RuntimeError("unforeseen"), ExitCode.FAILED),
    ],
)
def test_an_exception_has_one_exit_code_also_behind_another(error: Exception, code: ExitCode) -> None:
    assert exit_code(error) == code
    assert exit_code(raised(RuntimeError("Beam wraps it"), error)) == code


def test_an_unforeseen_error_has_no_fault_of_the_user() -> None:
    assert user_fault(ValueError("unforeseen")) is None


def test_a_store_that_does_not_answer_is_named() -> None:
    errors = pytest.importorskip("botocore.exceptions")
    fault = user_fault(raised(RuntimeError(), errors.EndpointConnectionError(endpoint_url="http://127.0.0.1:9")))
    assert isinstance(fault, TryAgain)
    assert str(fault).startswith("the object store does not answer (Could not connect to the endpoint URL")
