"""The `kapda` command."""
