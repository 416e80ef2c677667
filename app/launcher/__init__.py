"""The launcher: `longhand up` with all its processes, and the embedded Redis."""
