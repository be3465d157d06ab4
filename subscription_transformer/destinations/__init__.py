"""Encoders: finished documents to the bytes one destination wants."""
