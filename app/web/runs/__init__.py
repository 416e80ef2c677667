"""Pages of runs: any workflow's run, its trace, and its live stream."""
