"""What surrounds every call, one concern a file. `server.py` says in which order."""
