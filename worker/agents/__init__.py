"""The agents: what reads sites and writes posts, with or without a model."""
