"""Ask a store as people ask: time phrases in, tables and transcripts out."""
