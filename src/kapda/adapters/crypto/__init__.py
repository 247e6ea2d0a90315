"""Passwords and tokens: Argon2id, zxcvbn and JSON Web Tokens."""
