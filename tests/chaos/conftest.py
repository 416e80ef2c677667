"""The fixture `chaos`, also where the plugin is not registered."""

from worker.testing.plugin import chaos

__all__ = ["chaos"]
