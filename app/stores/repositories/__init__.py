"""All SQL, by subject. Each function takes a session: the transaction is its caller's."""
