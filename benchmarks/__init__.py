"""What kapda does a second, beside what the machine below it could: `make bench`."""
