"""Runs a Flink cluster for Beam on this machine: every part a process of its own, all on the loopback address.

`python deploy/flink/cluster.py` starts a JobManager, two TaskManagers, Beam's job server and a pool of SDK workers,
says when they are ready and stays until it is stopped (Ctrl-C, SIGTERM). A TaskManager that dies is replaced;
if another part dies, all end. Run it with the Python that has lstmlm: the pool's workers use the same.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

from fetch import fetch

HERE = Path(__file__).resolve().parent
HOST = "127.0.0.1"
PORTS = {"rest": 8081, "rpc": 6123, "job": 8099, "pool": 50000}
START_SECONDS = 180
STOP_SECONDS = 10

FLINK = "org.apache.flink.runtime"
JOB_SERVER = "org.apache.beam.runners.flink.FlinkJobServerDriver"
# What Flink's own scripts open to reflection for Java 17.
OPENS = "java.net java.io java.lang java.lang.reflect java.text java.time java.util java.util.concurrent"


class Cluster:
    """The processes of a cluster, their logs and their addresses.

    Attributes:
        folder: Holds a log for each process, Flink's scratch files and `cluster.json`: addresses and process ids.
        ports: For each name of `PORTS`, the port.
    """

    def __init__(self, folder: Path, jars: Path, ports: dict[str, int], task_managers: int) -> None:
        self.folder, self.ports = folder.resolve(), ports
        self._jars = jars.resolve()
        self._task_managers = [f"taskmanager-{number}" for number in range(1, task_managers + 1)]
        self._processes: dict[str, subprocess.Popen[bytes]] = {}

    def start(self) -> None:
        """Starts everything and waits until jobs can be sent.

        Raises:
            RuntimeError: A process ended, or is not ready in time.
        """
        self._write_settings()
        for name in ("jobmanager", *self._task_managers, "jobserver", "workers"):
            self._launch(name)
        deadline = time.monotonic() + START_SECONDS
        while not self._is_ready():
            for name, process in self._processes.items():
                if process.poll() is not None:
                    raise RuntimeError(f"{name} ended at once; see {self.folder / name}.log")
            if time.monotonic() > deadline:
                raise RuntimeError(f"not ready after {START_SECONDS} s; see the logs in {self.folder}")
            time.sleep(0.2)

    def watch(self) -> str:
        """Replaces TaskManagers that die, until another part does; returns its name."""
        while True:
            dead, _ = os.wait()
            name = next((name for name, process in self._processes.items() if process.pid == dead), "")
            if name in self._task_managers:
                print(f"{name} (process {dead}) died; starting another", flush=True)
                self._launch(name)
            elif name:
                return name

    def stop(self) -> None:
        """Ends every process."""
        for process in self._processes.values():
            process.terminate()
        for process in self._processes.values():
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        shutil.rmtree(self.folder / "scratch", ignore_errors=True)
        (self.folder / "cluster.json").unlink(missing_ok=True)

    def _write_settings(self) -> None:
        scratch = self.folder / "scratch"
        shutil.rmtree(scratch, ignore_errors=True)
        (scratch / "conf").mkdir(parents=True)
        # Beam sends every jar on the job server's class path with every job, but for those below a folder of this name;
        # the cluster has them already.
        shutil.copytree(self._jars, scratch / "gradle" / "wrapper", copy_function=_link)
        added = {
            "rest.port": self.ports["rest"],
            "jobmanager.rpc.port": self.ports["rpc"],
            "io.tmp.dirs": scratch,
            "blob.storage.directory": scratch / "blobs",
        }
        lines = "".join(f"{key}: {value}\n" for key, value in added.items())
        settings = (HERE / "flink-conf.yaml").read_text(encoding="utf-8") + "\n" + lines
        (scratch / "conf" / "flink-conf.yaml").write_text(settings, encoding="utf-8")

    def _launch(self, name: str) -> None:
        with (self.folder / f"{name}.log").open("ab") as log:
            self._processes[name] = subprocess.Popen(
                self._command(name), stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=self.folder
            )
        content = {
            "job_endpoint": f"{HOST}:{self.ports['job']}",
            "worker_pool": f"{HOST}:{self.ports['pool']}",
            "dashboard": f"http://{HOST}:{self.ports['rest']}",
            "processes": {name: process.pid for name, process in self._processes.items()},
        }
        partial = self.folder / "cluster.json.partial"
        partial.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
        os.replace(partial, self.folder / "cluster.json")

    def _command(self, name: str) -> list[str]:
        scratch = self.folder / "scratch"
        conf = scratch / "conf"
        if name == "jobmanager":
            return self._java(
                self._jars, 400, f"{FLINK}.entrypoint.StandaloneSessionClusterEntrypoint", "--configDir", str(conf)
            )
        if name in self._task_managers:  # 512 MB of heap: framework and tasks, as flink-conf.yaml says
            own = ["--configDir", str(conf), "-D", f"taskmanager.resource-id={name}-{time.monotonic_ns()}"]
            return self._java(self._jars, 512, f"{FLINK}.taskexecutor.TaskManagerRunner", *own)
        if name == "jobserver":
            listen = [f"--job-host={HOST}", f"--job-port={self.ports['job']}", "--artifact-port=0"]
            flink = [f"--flink-master={HOST}:{self.ports['rest']}", f"--flink-conf-dir={conf}"]
            own = [*listen, "--expansion-port=-1", *flink, f"--artifacts-dir={scratch / 'artifacts'}"]
            return self._java(scratch / "gradle" / "wrapper", 400, JOB_SERVER, *own)
        return [sys.executable, "-m", "lstmlm.runners.worker_pool", "--host", HOST, "--port", str(self.ports["pool"])]

    @staticmethod
    def _java(jars: Path, megabytes: int, main: str, *arguments: str) -> list[str]:
        opens = [f"--add-opens=java.base/{package}=ALL-UNNAMED" for package in OPENS.split()]
        java = str(Path(os.environ["JAVA_HOME"]) / "bin" / "java") if os.environ.get("JAVA_HOME") else "java"
        memory = [f"-Xmx{megabytes}m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"]
        log = ["-Dorg.slf4j.simpleLogger.showDateTime=true", "-Dorg.slf4j.simpleLogger.dateTimeFormat=HH:mm:ss.SSS"]
        return [java, *memory, *log, *opens, "-cp", f"{jars}/*", main, *arguments]

    def _is_ready(self) -> bool:
        try:
            address = f"http://{HOST}:{self.ports['rest']}/taskmanagers"
            with urllib.request.urlopen(address, timeout=2) as reply:
                found = len(json.load(reply)["taskmanagers"])
            for port in ("job", "pool"):
                socket.create_connection((HOST, self.ports[port]), 2).close()
        except OSError:
            return False
        return found == len(self._task_managers)


def _link(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError:  # another file system
        shutil.copyfile(source, target)


def free_ports() -> dict[str, int]:
    """Returns a free port for each name of `PORTS`."""
    sockets = {name: socket.create_server((HOST, 0)) for name in PORTS}
    found = {name: int(one.getsockname()[1]) for name, one in sockets.items()}
    for one in sockets.values():
        one.close()
    return found


def main() -> None:
    """See the module."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, default=Path("build/flink/run"), help="logs and state (%(default)s)")
    parser.add_argument("--jars", type=Path, default=Path("build/flink/jars"), help="fetched if absent (%(default)s)")
    parser.add_argument("--task-managers", type=int, default=2, metavar="N", help="how many (%(default)s)")
    parser.add_argument("--free-ports", action="store_true", help="take free ports, not the usual ones")
    for name, port in PORTS.items():
        parser.add_argument(f"--{name}-port", type=int, default=port, metavar="PORT", help="(%(default)s)")
    words = parser.parse_args()
    fetch(words.jars)
    ports = free_ports() if words.free_ports else {name: getattr(words, f"{name}_port") for name in PORTS}
    words.folder.mkdir(parents=True, exist_ok=True)
    cluster = Cluster(words.folder, words.jars, ports, words.task_managers)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        cluster.start()
        print(f"ready: {cluster.folder / 'cluster.json'}", flush=True)
        sys.exit(f"cluster.py: {cluster.watch()} died; its log is in {cluster.folder}")
    except RuntimeError as error:
        sys.exit(f"cluster.py: {error}")
    except KeyboardInterrupt:
        pass
    finally:
        cluster.stop()


if __name__ == "__main__":
    main()
