"""Use cases on runs, for pages and the API alike: submit, read, follow, command."""
