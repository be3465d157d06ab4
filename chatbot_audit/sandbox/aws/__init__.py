"""The AWS side: the process that imitates it, and what is repaired of it."""
