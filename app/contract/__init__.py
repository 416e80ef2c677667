"""The contract of the two planes: events, their fold, keys and settings. It imports no other package of ours."""
