"""What every test may ask for."""

from hypothesis import settings

pytest_plugins = ["tests.services", "tests.shop.fixtures"]

# Examples may take any time, for on a busy machine they do; what hangs is ended by pytest's own limit.
settings.register_profile("kapda", deadline=None)
settings.load_profile("kapda")
