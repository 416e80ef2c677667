"""The models: one gateway for all calls, its limits, its prices, its errors."""
