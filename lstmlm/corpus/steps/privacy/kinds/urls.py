"""Credentials in URLs."""

from __future__ import annotations

import re
from collections.abc import Iterator

from lstmlm.corpus.steps.privacy.spans import PiiSpan

SIGN = re.compile("://")

# `//user:password@host`, and only a long user, which is how access tokens of code hosts are given.
_USERINFO = re.compile(r"://([^\s/?#@:<>\"']{0,256}:[^\s/?#@<>\"']{1,256}|[A-Za-z0-9_\-]{20,256})@(?=[\w\[])")

_PARAMETER = re.compile(
    r"[?&;#](?:[\w.\-]*[_.\-])?(?:access_?token|auth|authorization|api_?key|apikey|client_?secret|code_verifier|credential"
    r"|id_?token|jwt|key|pass|passwd|password|pwd|refresh_?token|secret|session|session_?id|sid|sig|signature|token)"
    r"=([^\s&#;<>\"'()\[\]{}|\\^`]{4,2048})",
    re.IGNORECASE,
)
_URL = re.compile(r"://[^\s<>\"']*[^\s\"'.,!?)\]}]")


def find_url_credentials(text: str) -> Iterator[PiiSpan]:
    """Yields what is secret of a URL: `user:password` before its host, and values of parameters such as `token`."""
    if not SIGN.search(text):
        return
    for match in _USERINFO.finditer(text):
        yield PiiSpan(*match.span(1), "url_credentials")
    for url in _URL.finditer(text):
        for match in _PARAMETER.finditer(text, url.start(), url.end()):
            yield PiiSpan(*match.span(1), "url_credentials")
