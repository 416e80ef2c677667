"""Answers that a person types for a run's questions: reading, checking and showing them."""
