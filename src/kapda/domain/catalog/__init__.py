"""The catalogue: designers, categories, products and what may be known of them."""
