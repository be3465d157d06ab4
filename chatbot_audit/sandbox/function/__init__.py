"""The function: how it is invoked, run, and held to its contract."""
