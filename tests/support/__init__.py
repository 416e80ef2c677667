"""What several kinds of tests need: real servers, and people and workers to play."""
