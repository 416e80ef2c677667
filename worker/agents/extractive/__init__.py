"""The parts of the author that has no model: each turns what was read into one kind of result."""
