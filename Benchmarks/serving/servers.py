"""Servers as processes: started on a free port, asked until they answer, watched from outside."""

import asyncio
import os
import re
import signal
import socket
import subprocess
import time
from pathlib import Path

import client

ROOT = Path(__file__).resolve().parents[2]
CACHE = ROOT / "Benchmarks" / ".cache"
SELFCD = ROOT / ".build" / "release" / "selfcd"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Server:
    """A server on this machine."""

    def __init__(self, command: list, port: int, log: str = os.devnull):
        self.port = port
        self.command = [str(part) for part in command]
        self.log = log
        self.start()

    def start(self) -> None:
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(self.command, stdout=log, stderr=log)
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                raise RuntimeError(f"{self.command[0]} ended with {self.process.returncode}; see {self.log}")
            try:
                # The port is open before the model is loaded; until then the answer is another one.
                if '"ok"' in asyncio.run(client.get(self.port, "/health")):
                    return
            except (OSError, asyncio.IncompleteReadError):
                pass
            time.sleep(0.1)
        raise RuntimeError(f"{self.command[0]} does not answer")

    @property
    def is_alive(self) -> bool:
        return self.process.poll() is None

    @property
    def cpu_seconds(self) -> float:
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    @property
    def memory(self) -> int:
        """Resident bytes that no file stands behind."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(r"RssAnon:\s+(\d+)", status)[1]) * 1024

    @property
    def descriptors(self) -> int:
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def stop(self, how: int = signal.SIGTERM) -> int:
        if self.is_alive:
            self.process.send_signal(how)
        return self.process.wait(60)


def selfcd(model: Path | None, *options, port: int | None = None, log: str = os.devnull) -> Server:
    port = port or free_port()
    chosen = ["-m", model] if model else []
    return Server([SELFCD, "serve", *chosen, "--port", port, *options], port, log)


def llama_server(model: Path, *options, log: str = os.devnull) -> Server:
    port = free_port()
    program = next(iter((CACHE / "llama-server").glob("build-*/bin/llama-server")), None)
    if program is None:
        raise RuntimeError("run Benchmarks/peers/llama_server.sh first")
    return Server([program, "-m", model, "--port", port, *options], port, log)


def metrics(port: int) -> dict:
    """The samples of /metrics by name with labels."""
    page = asyncio.run(client.get(port, "/metrics"))
    samples = [line.rsplit(" ", 1) for line in page.splitlines() if line and not line.startswith("#")]
    return {name: float(value) for name, value in samples}


def lanes_free(samples: dict) -> tuple[float, float]:
    """Free lanes of the embedded model, and all it has."""
    return samples['selfcd_lanes_free{model="organism"}'], samples['selfcd_lanes{model="organism"}']
