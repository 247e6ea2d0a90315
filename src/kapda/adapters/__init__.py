"""The ports made real, one folder a technology."""
