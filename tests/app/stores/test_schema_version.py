"""The schema version of a database is read from its file alone."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from alembic.config import Config
from alembic.script import ScriptDirectory

from app.stores.schema_version import MIGRATIONS, is_current, newest_revision


def test_the_newest_file_is_the_head_of_alembic() -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    assert newest_revision() == ScriptDirectory.from_config(config).get_current_head()


def test_a_migrated_file_is_current(migrated_file: Path) -> None:
    assert is_current(migrated_file)


@pytest.mark.parametrize("content", [None, b"", b"no database at all", "0000"])
def test_any_other_file_is_not_current(tmp_path: Path, content: bytes | str | None) -> None:
    file = tmp_path / "longhand.db"
    if isinstance(content, bytes):
        file.write_bytes(content)
    elif content is not None:
        connection = sqlite3.connect(file)
        connection.execute("CREATE TABLE alembic_version (version_num TEXT)")
        connection.execute("INSERT INTO alembic_version VALUES (?)", (content,))
        connection.commit()
        connection.close()
    assert not is_current(file)
