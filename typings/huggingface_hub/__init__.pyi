from collections.abc import Sequence

def snapshot_download(
    repo_id: str,
    *,
    revision: str | None = None,
    allow_patterns: Sequence[str] | None = None,
    ignore_patterns: Sequence[str] | None = None,
    endpoint: str | None = None,
) -> str: ...
