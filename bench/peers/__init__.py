"""Other systems that Longhand is measured beside. Each runs as a program in a virtual environment of its own."""
