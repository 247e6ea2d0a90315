"""The numbering plans of the world's telephone networks."""
