"""The vocabulary both planes share. It imports nothing else of ours, nor any framework, queue or store."""
