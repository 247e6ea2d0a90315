"""Letters to users: what is mailed, when, and how often it is tried."""
