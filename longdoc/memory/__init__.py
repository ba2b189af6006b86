"""Memory streams: what was said, found again and fitted into a prompt."""
