"""The settings of all processes, read from `LONGHAND_*` variables and `.env`. Empty means embedded or default."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict


class Settings(BaseSettings):
    """All settings. Secrets are `SecretStr`, which prints as stars."""

    model_config = SettingsConfigDict(env_prefix="LONGHAND_", env_file=".env", extra="ignore", frozen=True)

    host: str = "127.0.0.1"
    port: int = 8000
    data_dir: Path = Path(".data")
    redis_url: str = ""
    database_url: str = ""
    workers: Annotated[int, Field(ge=1, le=64)] = 1

    model: str = ""
    model_base_url: str = ""
    model_api_key: SecretStr = SecretStr("")
    fallback_model: str = ""
    model_rpm: Annotated[int, Field(ge=0, description="requests a minute over all workers; 0: no limit")] = 0
    model_tpm: Annotated[int, Field(ge=0, description="tokens a minute over all workers; 0: no limit")] = 0
    model_concurrency: Annotated[int, Field(ge=0, description="calls at once over all workers; 0: no limit")] = 8

    crawl_allow: Annotated[frozenset[str], NoDecode] = frozenset()
    crawl_max_pages: Annotated[int, Field(ge=1, le=5000)] = 40

    lease_seconds: Annotated[float, Field(gt=0.5)] = 10
    drain_seconds: Annotated[float, Field(ge=0)] = 30
    run_concurrency: Annotated[int, Field(ge=1, description="runs at once in one worker process")] = 16
    log_keep_seconds: Annotated[int, Field(ge=1, description="how long a sealed log stays in Redis")] = 7 * 86_400

    @field_validator("crawl_allow", mode="before")
    @classmethod
    def _split_hosts(cls, value: object) -> object:
        if isinstance(value, str):
            return frozenset(part.strip().lower() for part in value.split(",") if part.strip())
        return value

    @property
    def resolved_database_url(self) -> str:
        """The SQLAlchemy URL; that of the embedded SQLite file when none is set."""
        if not self.database_url:
            return f"sqlite+aiosqlite:///{self.data_dir.absolute() / 'longhand.db'}"
        for plain in ("postgresql://", "postgres://"):
            if self.database_url.startswith(plain):
                return "postgresql+psycopg://" + self.database_url.removeprefix(plain)
        return self.database_url
