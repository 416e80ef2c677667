"""Asks of a run: reading, checking and showing the answers that people type."""
