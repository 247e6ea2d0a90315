"""The machine itself: its clock, and identifiers made from it."""
