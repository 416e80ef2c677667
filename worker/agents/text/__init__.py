"""Plain text algorithms: sentences, words, similarity, ranking, key phrases. No models, no network."""
