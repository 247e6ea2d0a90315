"""What can be asked of the catalogue."""
