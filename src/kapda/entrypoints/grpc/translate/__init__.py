"""Protos to commands and views to protos, one file a context."""
