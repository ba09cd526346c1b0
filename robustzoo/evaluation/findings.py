"""What a check has to say."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class Finding:
    """A reason to doubt a number: `text` for people, `evidence` the figure behind it."""

    name: str
    text: str
    evidence: float
