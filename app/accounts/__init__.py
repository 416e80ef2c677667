"""Who is asking: workspaces, browser sessions, API tokens."""
