"""The code that the README shows."""

import re
from pathlib import Path

README = Path(__file__).parents[2] / "README.md"


def block(text: str) -> str:
    """The one Python block of the README that contains `text`."""
    blocks = re.findall(r"```python\n(.*?)```", README.read_text(encoding="utf-8"), re.S)
    (found,) = [code for code in blocks if text in code]
    return found
