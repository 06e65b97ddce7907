"""What a store answers, as the one line that a user reads; an object that is not there stays a `FileNotFoundError`."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

from lstmlm.errors import TryAgain, UserError, chain, first_line

_AWAY = {
    *("EndpointConnectionError", "ConnectTimeoutError", "ReadTimeoutError", "ConnectionClosedError", "HTTPClientError"),
    *("ClientConnectorError", "ServerDisconnectedError", "ClientOSError", "ClientPayloadError", "FSTimeoutError"),
    *("ResponseStreamingError", "IncompleteReadError", "ConnectionResetError", "TimeoutError", "ServerTimeoutError"),
}
"""Names of exceptions of the clients: nothing answers, or no longer."""

_BUSY = {"SlowDown", "503", "500", "502", "504", "ServiceUnavailable", "InternalError", "RequestTimeout", "Throttling"}
_KEYS = {"ExpiredToken", "InvalidAccessKeyId", "SignatureDoesNotMatch", "InvalidToken", "RequestTimeTooSkewed"}
_REFUSED = {"AccessDenied", "403", "AllAccessDisabled", "AccountProblem", "Forbidden"}
_ELSEWHERE = {"PermanentRedirect", "301", "AuthorizationHeaderMalformed", "IllegalLocationConstraintException"}
_NO_KEYS = {"NoCredentialsError", "PartialCredentialsError", "CredentialRetrievalError", "ProfileNotFound"}
_CHANGED = {"PreconditionFailed", "412"}


@contextlib.contextmanager
def reported(where: str) -> Iterator[None]:
    """Turns what a client raises into one line.

    Args:
        where: The URL that is read or written.

    Raises:
        UserError: The bucket is missing or elsewhere, the keys are missing, wrong or expired, or it is refused.
        TryAgain: The store does not answer, or is too busy, also after many tries.
        FileNotFoundError: There is no such object.
    """
    try:
        yield
    except UserError:
        raise
    except Exception as error:
        fault = fault_of(error, where)
        if fault is None:
            raise
        raise fault from error


def fault_of(error: BaseException, where: str) -> UserError | None:
    """Returns the fault behind an exception of a client; None where it is of another kind."""
    links = list(chain(error))
    answer = next((found for link in links if (found := _answer(link))), {})
    code = str(answer.get("Error", {}).get("Code") or getattr(links[0], "code", "") or "")
    names = {type(link).__name__ for link in links}
    if code == "NoSuchBucket":
        bucket = where.partition("://")[2].partition("/")[0]
        hint = "Create it, or check its name and the endpoint (AWS_ENDPOINT_URL)"
        return UserError(f"there is no bucket {bucket!r}", where=where, hint=hint)
    if code in _ELSEWHERE:
        region = _region(answer)
        what = f"the bucket is in another region{f' ({region})' if region else ''}"
        return UserError(what, where=where, hint=f"Set AWS_DEFAULT_REGION to {region or 'the region of the bucket'}")
    if code in _KEYS or names & _NO_KEYS:
        what = f"the keys of the store are missing, wrong or expired ({code or first_line(links[0])})"
        return UserError(
            what, where=where, hint="Check AWS_ACCESS_KEY_ID, AWS_PROFILE or the credentials of this machine"
        )
    if code in _REFUSED or "PermissionError" in names:
        return UserError("permission denied by the store", where=where, hint="Let these keys read and write there")
    if "FileExpired" in names or code in _CHANGED:
        hint = "Let nothing write to it while it is read, and run the stage again"
        return UserError("changed while it was read", where=where, hint=hint)
    if code in _BUSY or names & _AWAY:
        what = f"the object store does not answer ({code or first_line(links[0])})"
        return TryAgain(what, where=where, hint="Run the same command again in a while")
    return None


def _answer(link: BaseException) -> dict[str, Any]:
    """Returns what S3 answered, as botocore keeps it."""
    found = getattr(link, "response", None)
    return found if isinstance(found, dict) else {}


def _region(answer: dict[str, Any]) -> str:
    headers = answer.get("ResponseMetadata", {}).get("HTTPHeaders", {})
    return str(headers.get("x-amz-bucket-region") or answer.get("Error", {}).get("Region") or "")
