"""From raw files to records: reading, splitting, checking, and the shards they are kept in."""
