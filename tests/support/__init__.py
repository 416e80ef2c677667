"""Real servers, worker processes and a played worker, for several kinds of tests."""
