"""The fragments of each kind of page."""
