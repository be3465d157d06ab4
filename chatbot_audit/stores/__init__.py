"""Where delivered records can be searched; one protocol, one module a product."""
