"""The business, in the standard library alone: contexts with their models, ports and use cases."""
