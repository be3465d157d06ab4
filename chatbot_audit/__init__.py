"""The command `chatbot-audit`: run the pipeline, and ask it questions."""

__version__ = "0.1.0"
