"""The books: double entries that sum to zero."""
