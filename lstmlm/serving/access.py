"""Who may use a server: programs and pages of this machine or, where it is open, whoever has the token."""

from __future__ import annotations

import dataclasses
import hmac
import os

from aiohttp import web
from yarl import URL

from lstmlm.errors import UserError
from lstmlm.processes.addresses import is_loopback

TOKEN = "LSTMLM_SERVE_TOKEN"
SHORTEST_TOKEN = 16
_OPEN_PATHS = ("/", "/healthz")
"""They say nothing of the model or its inputs: the page asks for the token itself."""


@dataclasses.dataclass(frozen=True, slots=True)
class Access:
    """What a request has to show.

    Attributes:
        token: The token; empty: none is needed.
        local: Whether only this machine can reach the server.
    """

    token: str = dataclasses.field(repr=False)
    local: bool

    def refusal(self, request: web.Request) -> web.HTTPException | None:
        """Returns why a request is refused; None: it is not.

        A page of the web can send requests to 127.0.0.1 through the browser of somebody on this machine, by a name
        that it lets point there (DNS rebinding): a local server answers to local names only.
        """
        if self.local and not self.token and not is_loopback(_host_of(request)):
            return web.HTTPMisdirectedRequest(text="this server answers only to requests for 127.0.0.1")
        if self.token and request.path not in _OPEN_PATHS:
            kind, _, sent = request.headers.get("Authorization", "").partition(" ")
            if kind.lower() != "bearer" or not hmac.compare_digest(sent.encode(), self.token.encode()):
                return web.HTTPUnauthorized(
                    text="send the token: Authorization: Bearer TOKEN", headers={"WWW-Authenticate": "Bearer"}
                )
        return None


def access_for(host: str) -> Access:
    """Returns what requests have to show, of a server that listens on an address.

    Raises:
        UserError: Other machines can reach it, and there is no token, or one that is too short.
    """
    token, local = os.environ.get(TOKEN, ""), is_loopback(host)
    if not token and not local:
        what = f"{host} can be reached from other machines, and there is no token"
        raise UserError(what, where="--host", hint=f"Set {TOKEN} in the environment, or leave --host out")
    if token and len(token) < SHORTEST_TOKEN:
        what = f"a token of {len(token)} characters can be guessed"
        raise UserError(what, where=TOKEN, hint=f"Take {SHORTEST_TOKEN} or more, such as of `openssl rand -hex 32`")
    return Access(token, local)


def _host_of(request: web.Request) -> str:
    try:
        return URL(f"http://{request.headers.get('Host', '')}").host or ""
    except ValueError:
        return ""
