"""One servicer a context: it translates, calls one use case, and translates back."""
