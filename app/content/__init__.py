"""Content: the values that onboarding and writing exchange, web addresses, citations, slugs, workflow names."""
