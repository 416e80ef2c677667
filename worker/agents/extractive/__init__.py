"""The parts of the author without a model: one for each kind of result."""
