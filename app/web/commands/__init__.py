"""Forms that act on a run: cancel, retry, answer, drafts of answers."""
