"""kapda: the commerce core of The Kapda Co."""
