"""Live pages: following a run's log and streaming the patches that keep open pages up to date."""
