"""longdoc reads, remembers and writes texts far longer than a model's window."""
