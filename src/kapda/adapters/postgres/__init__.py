"""PostgreSQL: repositories, the unit of work, migrations and the recomputed promises."""
