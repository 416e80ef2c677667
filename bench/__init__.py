"""The benchmarks. `make bench` runs them; `ARGS` names some of them, and `--quick` makes them short."""
