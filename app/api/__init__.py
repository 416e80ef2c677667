"""The REST routes of the API and their shapes."""
