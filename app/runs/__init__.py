"""Runs as the API plane sees them: submitted, read, followed, commanded."""
