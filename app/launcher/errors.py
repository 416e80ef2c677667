"""
CannotStart               what `longhand up` needs is not there; its message says what to do
├── AlreadyRunning        another `up` holds the data folder
├── AddressInUse          something else listens where the pages should
└── NoUsableRedis         no server program here can serve the data that is kept
"""

from __future__ import annotations


class CannotStart(Exception):
    """Nothing was left running; the message is for the person at the terminal."""


class AlreadyRunning(CannotStart):
    """Another `longhand up` holds the data folder."""


class AddressInUse(CannotStart):
    """Something else listens on the host and port of the settings."""


class NoUsableRedis(CannotStart):
    """There is no Redis server program, or none that can read what an earlier one wrote."""
