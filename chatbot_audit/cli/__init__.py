"""The command `chatbot-audit`, one thin module a command.

Exit codes: 0 found or done, 1 nothing found or a problem found, 2 could not run,
130 interrupted.
"""
