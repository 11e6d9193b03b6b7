"""Real servers for tests, on the loopback and a free port: started here, ended by the process that was started."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

HOST = "127.0.0.1"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def wait_until(ready: Callable[[], bool], what: str, child: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 30
    while not ready():
        assert child.poll() is None, f"{what} ended with {child.returncode}"
        assert time.monotonic() < deadline, f"{what} did not come up"
        time.sleep(0.05)


@dataclass
class Redis:
    """A Redis server that keeps its data in a folder: it can be ended and started again."""

    folder: Path
    port: int = field(default_factory=free_port)
    child: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> str:
        return f"redis://{HOST}:{self.port}/0"

    def start(self) -> Redis:
        program = shutil.which("redis-server")
        if program is None:
            pytest.skip("redis-server is not installed here (Debian: redis-server)")
        self.folder.mkdir(parents=True, exist_ok=True)
        settings = [
            "--port",
            str(self.port),
            "--bind",
            HOST,
            "--dir",
            str(self.folder),
            "--save",
            "",
            "--appendonly",
            "yes",
        ]
        self.child = subprocess.Popen(
            [program, *settings], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
        )
        import redis

        def ready() -> bool:
            try:
                with redis.Redis(host=HOST, port=self.port, socket_timeout=1) as client:
                    return bool(client.ping())
            except redis.RedisError:
                return False

        wait_until(ready, "redis-server", self.child)
        return self

    def stop(self) -> None:
        if self.child is not None:
            self.child.send_signal(signal.SIGTERM)
            self.child.wait(20)
            self.child = None


@dataclass
class Postgres:
    """A PostgreSQL server with one database and one user, in a folder of its own."""

    folder: Path
    port: int = field(default_factory=free_port)
    child: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> str:
        return f"postgresql+psycopg://bank@{HOST}:{self.port}/postgres"

    def start(self) -> Postgres:
        programs = _postgres_programs()
        if programs is None:
            pytest.skip("PostgreSQL is not installed here (Debian: postgresql)")
        data = self.folder / "data"
        user = _unprivileged()
        self.folder.mkdir(parents=True, exist_ok=True)
        if user is not None:
            # The server refuses to run as root; its folder, and the way to it, must be open to another user.
            os.chown(self.folder, *user)
        if not data.is_dir():
            made = subprocess.run(
                [programs / "initdb", "-D", data, "-U", "bank", "-A", "trust", "-E", "UTF8", "--no-sync"],
                capture_output=True, text=True, check=False, cwd=self.folder, **_as(user),
            )  # fmt: skip
            assert made.returncode == 0, made.stderr
        self.child = subprocess.Popen(
            [programs / "postgres", "-D", data, "-h", HOST, "-p", str(self.port), "-k", "", "-F"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True, cwd=self.folder, **_as(user),
        )  # fmt: skip
        import psycopg

        def ready() -> bool:
            try:
                psycopg.connect(f"postgresql://bank@{HOST}:{self.port}/postgres", connect_timeout=2).close()
            except psycopg.OperationalError:
                return False
            return True

        wait_until(ready, "postgres", self.child)
        return self

    def stop(self) -> None:
        if self.child is not None:
            self.child.send_signal(signal.SIGINT)
            self.child.wait(30)
            self.child = None


def _postgres_programs() -> Path | None:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if found:
        return found[-1].parent
    program = shutil.which("initdb")
    return Path(program).parent if program and shutil.which("postgres") else None


def _unprivileged() -> tuple[int, int] | None:
    """User and group to run as where we are root; None where we are somebody already."""
    if os.getuid() != 0:
        return None
    import pwd

    nobody = pwd.getpwnam("nobody")
    return nobody.pw_uid, nobody.pw_gid


def _as(user: tuple[int, int] | None) -> dict[str, object]:
    return {} if user is None else {"user": user[0], "group": user[1], "extra_groups": []}
