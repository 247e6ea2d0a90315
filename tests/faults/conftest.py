from tests.shop.fixtures import shop

__all__ = ["shop"]
