"""What every context speaks: money, ids, time, errors, events, pages, the unit of work and the request log."""
