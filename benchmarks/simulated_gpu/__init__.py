"""A simulated GPU behind an OpenAI-compatible server: how it times its answers, and what the best client could do."""
