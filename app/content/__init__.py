"""What is written and read, apart from how runs go."""
