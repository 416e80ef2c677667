"""Authors that read sites and write posts, with or without a model."""
