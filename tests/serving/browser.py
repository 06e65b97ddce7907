"""Chromium without a window, driven by its DevTools protocol: https://chromedevtools.github.io/devtools-protocol/."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import itertools
import re
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp


class Page:
    """A page of the browser.

    Attributes:
        problems: Errors and warnings of its console, exceptions, and requests to other hosts or that failed.
    """

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket, self._numbers, self._waiting = socket, itertools.count(1), dict[int, asyncio.Future[Any]]()
        self.problems: list[Any] = []
        self._following = asyncio.create_task(self._follow())

    async def _follow(self) -> None:
        async for message in self._socket:
            sent = message.json()
            if "id" in sent:
                self._waiting.pop(sent["id"]).set_result(sent)
            elif sent["method"] in ("Runtime.exceptionThrown", "Log.entryAdded", "Network.loadingFailed") or (
                sent["method"] == "Runtime.consoleAPICalled" and sent["params"]["type"] in ("error", "warning")
            ):
                self.problems.append(sent)

    async def call(self, method: str, **parameters: Any) -> Any:
        number = next(self._numbers)
        future = self._waiting[number] = asyncio.get_running_loop().create_future()
        await self._socket.send_json({"id": number, "method": method, "params": parameters})
        found = await asyncio.wait_for(future, 60)
        assert "error" not in found, found
        return found["result"]

    async def run(self, script: str) -> Any:
        """Evaluates JavaScript; returns its value."""
        found = await self.call("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in found, found
        return found["result"].get("value")

    async def wait_for(self, script: str, seconds: float = 60) -> None:
        """Waits until JavaScript is true."""
        async with asyncio.timeout(seconds):
            while not await self.run(script):
                await asyncio.sleep(0.05)

    async def open(self, url: str) -> None:
        for domain in ("Runtime", "Log", "Network", "Page"):
            await self.call(f"{domain}.enable")
        await self.call("Page.navigate", url=url)
        await self.wait_for("location.href != 'about:blank' && document.readyState == 'complete'")

    async def screenshot(self, path: Path) -> None:
        found = await self.call("Page.captureScreenshot", captureBeyondViewport=True)
        path.write_bytes(base64.b64decode(found["data"]))


@contextlib.asynccontextmanager
async def browser(program: str, folder: Path) -> AsyncIterator[Page]:
    """Starts the browser with a profile in a folder, and ends it."""
    words = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run"]
    words += ["--disable-background-networking", "--window-size=900,1100", "--remote-debugging-port=0"]
    process = subprocess.Popen([program, *words, f"--user-data-dir={folder}", "about:blank"], stderr=subprocess.PIPE)
    try:
        assert process.stderr is not None
        lines = iter(process.stderr.readline, b"")
        found = next(match for line in lines if (match := re.search(rb"ws://([\d.:]+)/", line)))
        async with aiohttp.ClientSession() as session:
            async with session.get(f"http://{found[1].decode()}/json/list") as pages:
                (url,) = [one["webSocketDebuggerUrl"] for one in await pages.json() if one["type"] == "page"]
            async with session.ws_connect(url, max_msg_size=0) as socket:
                yield Page(socket)
    finally:
        process.kill()
        process.communicate(timeout=60)
