"""The valid name that an error offers in place of one that is not."""

import difflib
from collections.abc import Iterable


def closest(value, names: Iterable[str]) -> str:
    """The one of `names` most like the text of `value`, of which a hundred characters count."""
    return difflib.get_close_matches(str(value)[:100], list(names), n=1, cutoff=0.0)[0]
