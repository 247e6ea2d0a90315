"""Mail: letters in words, messages, SMTP, and a folder in its place."""
