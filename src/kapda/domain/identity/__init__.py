"""Who somebody is: accounts, passwords, sessions, and the principal that every other context is told about."""
