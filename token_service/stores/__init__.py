"""Where tokens are kept: in memory, in SQLite, in Redis, all behind `TokenStore`."""
