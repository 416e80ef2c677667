"""Language models: one gateway for all calls, with its limits, prices and errors."""
