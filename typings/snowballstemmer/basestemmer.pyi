class BaseStemmer:
    def stemWord(self, word: str) -> str: ...  # noqa: N802 - the name it has there
