"""What every package needs and no domain word: settings, database, jobs, outbox, audit, principals, errors, clock, log."""
