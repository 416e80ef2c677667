"""The engine: takes due runs, holds and feeds them, and ships their logs to SQL."""
