"""Alembic migrations: each a script of plain SQL."""
