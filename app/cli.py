"""The `longhand` command: `up` starts the whole product, `web`, `worker` and `migrate` are its single processes.

Imports stand inside the commands, so that `longhand --help` and the supervisor itself start at once.
"""

from __future__ import annotations

import asyncio
import os
import sys
from typing import TYPE_CHECKING, NoReturn

import typer

if TYPE_CHECKING:
    from app.contract.settings import Settings

cli = typer.Typer(
    help="Longhand reads a company's site and writes its blog posts.", no_args_is_help=True, add_completion=False
)


@cli.command()
def up() -> None:
    """Start everything (Redis if none is set, web, workers), keep it running, stop it all on Ctrl-C or SIGTERM."""
    from app.launcher.errors import CannotStart
    from app.launcher.up import start_and_supervise

    settings = _read_settings()
    try:
        asyncio.run(start_and_supervise(settings))
    except CannotStart as error:
        _exit_with(str(error))


@cli.command()
def web() -> None:
    """Serve the pages and the API."""
    from app.launcher.web import serve

    serve(_read_settings())


@cli.command()
def worker() -> None:
    """Run workflows. The compute plane is a program of its own: this process becomes it."""
    _read_settings()
    os.execv(sys.executable, [sys.executable, "-m", "worker"])


@cli.command()
def migrate() -> None:
    """Bring the database's tables to this version."""
    from app.stores.database import migrate as migrate_database

    asyncio.run(migrate_database(_read_settings()))


def _read_settings() -> Settings:
    from pydantic import ValidationError

    from app.contract.settings import Settings

    try:
        return Settings()
    except ValidationError as error:
        wrong = (f"LONGHAND_{'_'.join(map(str, item['loc'])).upper()}: {item['msg']}" for item in error.errors())
        _exit_with("A setting cannot be used. " + "; ".join(wrong))


def _exit_with(message: str) -> NoReturn:
    typer.secho(message, err=True, fg="red")
    raise typer.Exit(1)


def main() -> None:
    cli()


if __name__ == "__main__":
    main()
