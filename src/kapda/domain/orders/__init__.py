"""Orders: sales whose money has been captured, and the finisher that makes them."""
