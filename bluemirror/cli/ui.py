"""``bluemirror ui``: Dagster, MLflow and Feast pages on the loopback, ended together."""

from __future__ import annotations

import argparse
import os
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from bluemirror.cli.console import Console
from bluemirror.cli.hooks import pipelines
from bluemirror.errors import WorkspaceError
from bluemirror.workspace import Workspace

HOST = "127.0.0.1"
WAIT_SECONDS = 120.0


@dataclass(frozen=True)
class Page:
    """One web server: its name, the port it would like, and how it is started."""

    name: str
    port: int
    command: tuple[str, ...]
    environment: dict[str, str]
    folder: Path


def ui(args: argparse.Namespace, console: Console) -> dict[str, Any]:
    """Start the pages, print their addresses, wait for Ctrl-C."""
    workspace = Workspace.open(args.workspace)
    children: list[tuple[Page, subprocess.Popen[bytes]]] = []
    logs = workspace.state / "logs"
    logs.mkdir(parents=True, exist_ok=True)
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        for page in pages(workspace):
            with (logs / f"{page.name}.log").open("wb") as log:
                children.append(
                    (
                        page,
                        subprocess.Popen(
                            page.command,
                            cwd=page.folder,
                            env={**os.environ, **page.environment},
                            stdout=log,
                            stderr=subprocess.STDOUT,
                            start_new_session=True,
                        ),
                    )
                )
        addresses = _addresses(children, console, logs)
        if not addresses:
            raise WorkspaceError(
                "no page could be started",
                file=logs,
                rule="Dagster, MLflow or Feast is installed",
                fix="read the logs",
            )
        console.next("open an address in a browser on this machine; Ctrl-C here ends all of them")
        console.finish({"pages": addresses})
        _wait(children, console)
    except KeyboardInterrupt:
        console.say("ending")
    finally:
        _end([child for _, child in children])
    return {"ended": True}


def pages(workspace: Workspace) -> list[Page]:
    """The three servers with free ports."""
    instance = pipelines("instance")
    home = instance.dagster_home(workspace)
    code = Path(str(instance.__file__)).resolve().parent.parent
    state = workspace.state
    taken: set[int] = set()
    python = sys.executable
    shared = {
        "BLUEMIRROR_WORKSPACE": str(workspace.root),
        "DAGSTER_HOME": str(home),
        "MLFLOW_DISABLE_TELEMETRY": "true",
        # Its job runners are seven more processes that nothing here gives work to.
        "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
        "DO_NOT_TRACK": "true",
        "PYTHONPATH": os.pathsep.join(filter(None, [str(code), os.environ.get("PYTHONPATH", "")])),
    }
    (state / "mlflow").mkdir(parents=True, exist_ok=True)
    dagster, mlflow, feast = (free_port(port, taken) for port in (3000, 5000, 8888))
    found = [
        Page(
            "dagster",
            dagster,
            (python, "-m", "dagster", "dev", "-h", HOST, "-p", str(dagster), "-m", "pipelines.definitions"),
            shared,
            code,
        ),
        Page(
            "mlflow",
            mlflow,
            (
                *(python, "-m", "mlflow", "ui", "--host", HOST, "--port", str(mlflow)),
                *("--workers", "1", "--backend-store-uri", tracking_uri(workspace)),
            ),
            shared,
            state,
        ),
    ]
    # Feast's page is a server that needs a package which Feast itself does not.
    if find_spec("grpc_reflection") is not None:
        command = (python, "-m", "bluemirror.cli.feast_page", str(workspace.root), HOST, str(feast))
        found.append(Page("feast", feast, command, shared, code))
    return found


def tracking_uri(workspace: Workspace) -> str:
    """Where the workspace's models are registered."""
    from bluemirror.scorecards.registry import tracking_uri as registered

    return str(registered(workspace))


def free_port(wanted: int, taken: set[int]) -> int:
    """``wanted`` or the next port that nobody listens on; it is added to ``taken``."""
    for port in range(wanted, wanted + 200):
        if port in taken:
            continue
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((HOST, port))
            except OSError:
                continue
        taken.add(port)
        return port
    raise WorkspaceError(
        f"no free port from {wanted} on", rule="a page needs a port", fix="end another server"
    )


def _addresses(
    children: list[tuple[Page, subprocess.Popen[bytes]]], console: Console, logs: Path
) -> dict[str, str]:
    """Addresses of the pages that answer; each is printed as soon as it does."""
    addresses: dict[str, str] = {}
    starting = list(children)
    deadline = time.monotonic() + WAIT_SECONDS
    while starting and time.monotonic() < deadline:
        for page, child in list(starting):
            with socket.socket() as probe:
                probe.settimeout(1)
                answers = probe.connect_ex((HOST, page.port)) == 0
            if answers:
                addresses[page.name] = f"http://{HOST}:{page.port}"
                console.say(f"{page.name:8} {addresses[page.name]}")
            if answers or child.poll() is not None:
                starting.remove((page, child))
        time.sleep(0.3)
    for page, _ in children:
        if page.name not in addresses:
            console.say(f"{page.name:8} did not start: see {logs / page.name}.log")
    return addresses


def _wait(children: list[tuple[Page, subprocess.Popen[bytes]]], console: Console) -> None:
    running = list(children)
    while running:
        for page, child in list(running):
            if child.poll() is not None:
                console.say(f"{page.name} ended by itself with status {child.returncode}")
                running.remove((page, child))
        time.sleep(0.5)


def _end(children: list[subprocess.Popen[bytes]]) -> None:
    """End each server with the processes that it started itself (each is the leader of its own group)."""
    for sign, patience in ((signal.SIGTERM, 10.0), (signal.SIGKILL, 5.0)):
        for child in children:
            if child.poll() is None:
                os.killpg(child.pid, sign)
        deadline = time.monotonic() + patience
        while time.monotonic() < deadline and any(child.poll() is None for child in children):
            time.sleep(0.1)


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt
