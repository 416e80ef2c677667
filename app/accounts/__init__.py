"""Requesters: workspaces, browser sessions, API tokens."""
