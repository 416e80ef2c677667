"""The errors of the launcher.

CannotStart               `longhand up` lacks something that it needs; the message says what to do
├── AlreadyRunning        another `longhand up` has locked the data folder
├── AddressInUse          another program listens on the host and port of the settings
└── NoUsableRedis         no server program here can read the Redis data
"""

from __future__ import annotations


class CannotStart(Exception):
    """`longhand up` cannot start. No process is left running; the message is for the person at the terminal."""


class AlreadyRunning(CannotStart):
    """Another `longhand up` has locked the data folder."""


class AddressInUse(CannotStart):
    """Another program listens on the host and port of the settings."""


class NoUsableRedis(CannotStart):
    """There is no Redis server program, or none that can read the data of an earlier one."""
