"""The activity page: a workspace's runs, live."""
