"""Redis and SQL for both planes."""
