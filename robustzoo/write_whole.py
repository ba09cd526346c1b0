"""Contents that take a file's place whole or not at all."""

from pathlib import Path

from robustzoo.whole_file import whole_file


def write_whole(path: str | Path, content: str | bytes) -> None:
    """Writes bytes, or text as UTF-8; where that fails, what was there before stays."""
    path, content = Path(path), content.encode() if isinstance(content, str) else content
    if path.exists() and not path.is_file():  # /dev/stdout, say, whose place nothing may take
        path.write_bytes(content)
        return
    with whole_file(path.resolve()) as work:  # a link stays one
        work.write_bytes(content)
