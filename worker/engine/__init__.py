"""The engine: takes due runs, executes them under leases, and archives their logs in SQL."""
