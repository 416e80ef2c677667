"""What Longhand is measured beside. Each runs as a program of its own, in an environment of its own."""
