"""A server that ends answers what it has accepted; one that is killed answers nothing wrong; a full one says so."""

from __future__ import annotations

import http.client
import signal
import threading
import urllib.error
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

import lstmlm
from tests.serving.conftest import Running, Serve
from tests.tiny import TinyRun
from tests.waiting import wait_until

pytestmark = [pytest.mark.slow, pytest.mark.parametrize("exported", ["generate"], indirect=True)]
LONG = ("--set", "decoding.max_tokens=3000", "--set", "decoding.min_tokens=3000")
TEXTS = [f"The statement {n}" for n in range(12)]


def open_inputs(running: Running) -> float:
    lines = running.ask("/metrics").body.decode().splitlines()
    return float(next(line for line in lines if line.startswith("lstmlm_inputs_open ")).split()[1])


def asking(running: Running, pool: ThreadPoolExecutor) -> list[Any]:
    """Sends a request for each text, and waits until all of them are accepted."""
    answers = [pool.submit(running.ask, "/predict", {"inputs": [text]}) for text in TEXTS]
    wait_until(lambda: open_inputs(running) == len(TEXTS), "all requests to be accepted")
    return answers


def test_sigterm_ends_it_after_all_that_was_accepted(exported: TinyRun, serve: Serve) -> None:
    few = {"max_tokens": 400, "min_tokens": 400}
    model = lstmlm.load(exported.export, decoding=few, threads=1)
    words = [word for name, value in few.items() for word in ("--set", f"decoding.{name}={value}")]
    with serve(exported.export, *words) as running, ThreadPoolExecutor(len(TEXTS)) as pool:
        answers = asking(running, pool)
        code, said = running.stop()
        assert (code, f"stopping: {len(TEXTS)} inputs" in said) == (0, True), said
        found = [answer.result().content["outputs"][0]["output"] for answer in answers]
    assert found == [one.text for one in model.generate(TEXTS)]


def test_a_second_signal_ends_it_at_once(exported: TinyRun, serve: Serve) -> None:
    with serve(exported.export, *LONG) as running, ThreadPoolExecutor(len(TEXTS)) as pool:
        answers = asking(running, pool)
        running.process.send_signal(signal.SIGTERM)
        assert running.process.stdout is not None
        assert "a second signal stops at once" in running.process.stdout.readline()
        assert running.stop(signal.SIGTERM)[0] == 143
        for answer in answers:
            assert isinstance(answer.exception(), urllib.error.URLError | http.client.HTTPException | OSError)


def test_a_killed_server_leaves_errors_and_no_wrong_answer(exported: TinyRun, serve: Serve) -> None:
    model = lstmlm.load(exported.export, threads=1)
    right = {text: one.text for text, one in zip(TEXTS, model.generate(TEXTS), strict=True)}
    answered, lost, wrong = [0], [0], list[object]()

    with serve(exported.export) as running:
        enough = threading.Event()

        def client(text: str) -> None:
            while True:
                try:
                    answer = running.ask("/predict", {"inputs": [text]})
                except (urllib.error.URLError, http.client.HTTPException, OSError):
                    lost[0] += 1
                    return
                if answer.status != 200 or answer.content["outputs"][0]["output"] != right[text]:
                    wrong.append(answer)
                answered[0] += 1
                if answered[0] > 60:
                    enough.set()

        clients = [threading.Thread(target=client, args=(text,)) for text in TEXTS]
        for one in clients:
            one.start()
        assert enough.wait(120)
        running.process.kill()
        for one in clients:
            one.join(60)
    assert (wrong, lost[0]) == ([], len(TEXTS))


def test_a_full_queue_is_503_with_the_time_to_wait(exported: TinyRun, serve: Serve) -> None:
    with serve(exported.export, "--queue", str(len(TEXTS)), *LONG) as running, ThreadPoolExecutor(len(TEXTS)) as pool:
        asking(running, pool)
        answer = running.ask("/predict", {"inputs": ["one more"]})
        assert (answer.status, "the queue is full" in answer.content["error"]) == (503, True)
        assert int(answer.headers["Retry-After"]) >= 1
        running.process.kill()


def test_a_client_that_leaves_waits_for_nothing(exported: TinyRun, serve: Serve) -> None:
    """What its request asked for is computed or left out; there is room for others."""
    with serve(exported.export, "--queue", "4", *LONG) as running:
        with pytest.raises(TimeoutError):
            running.ask("/predict", {"inputs": TEXTS[:4]}, timeout=0.5)
        wait_until(lambda: open_inputs(running) == 0, "the queue to be empty")
        assert running.ask("/predict", {"inputs": ["a"], "decoding": {"max_tokens": 2, "min_tokens": 0}}).status == 200
