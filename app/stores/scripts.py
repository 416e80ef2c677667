"""The Lua functions of the contract, loaded once for each Redis client."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import app.contract

_FOLDER = Path(app.contract.__file__).parent


@cache
def script_text(name: str) -> str:
    """The text of `app/contract/NAME.lua`."""
    return (_FOLDER / f"{name}.lua").read_text()


class Scripts:
    """The contract's functions, callable by name."""

    def __init__(self, redis: Any) -> None:
        self.append = redis.register_script(script_text("append"))
        self.reserve = redis.register_script(script_text("reserve"))
        self.take = redis.register_script(script_text("take"))
        self.renew = redis.register_script(script_text("renew"))
        self.claim = redis.register_script(script_text("claim"))
        self.restore = redis.register_script(script_text("restore"))
        self.unshipped = redis.register_script(script_text("unshipped"))
        self.shipped = redis.register_script(script_text("shipped"))
