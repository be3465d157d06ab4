"""The Lambda that Data Firehose calls: envelopes in, finished documents out."""
