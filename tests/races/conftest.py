"""Every test here ends with the books."""

from tests.shop.ending import every_paisa_is_found

__all__ = ["every_paisa_is_found"]
