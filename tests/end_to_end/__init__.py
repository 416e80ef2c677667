"""Journeys through the product in a real browser, from the address field to the finished post."""
