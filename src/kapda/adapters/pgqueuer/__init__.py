"""Background jobs on PostgreSQL by pgqueuer: enqueued with the change they follow from, run by the worker."""
