"""A table that survives interruption and says where it came from."""

import json
from collections.abc import Callable, Iterable
from pathlib import Path

from rich.console import Console

from robustzoo.provenance import provenance
from robustzoo.zoo.registry import released_entry

FOLDER = Path(__file__).parent
RUNS = FOLDER.parent / "runs" / "tables"
CARDS = FOLDER.parents[1] / "model_cards"


class Table:
    """Rows measured one by one, then written as `<name>.md` and `<name>.json`.

        table = Table("linear", "Linear MNIST 0 against 1", ["model", "published", "ours"], facts)
        table.row("robust, attacked", lambda: {"model": ..., "published": 0.025, "ours": 0.024})
        table.write(["Both models are ..."])

    A row that was measured already, under the same facts, is not measured again, unless a model was
    trained anew meanwhile. Rows of several runs, as of an option that measures a part of them, come
    together in a journal; the run that measures or finds all of them writes the table.

    Args:
        name: of the module in this folder, and of the files.
        title: heading of the table.
        columns: keys of a row in the order shown; a row may leave some out.
        facts: what all rows share: data set, number of images, seeds, attacks. JSON.
    """

    def __init__(self, name: str, title: str, columns: Iterable[str], facts: dict):
        self.name, self.title, self.columns, self.facts = name, title, list(columns), facts
        self.console, self.rows, self.commits = Console(), {}, {}
        self.weights, self.commit = _weights(), provenance()["commit"]
        self.journal = RUNS / f"{name}.json"
        if self.journal.exists():
            kept = json.loads(self.journal.read_text())
            same = kept["weights"].items() <= self.weights.items()
            if same and kept["facts"] == json.loads(json.dumps(facts)):
                self.kept, self.commits = kept["rows"], kept["commits"]
                return
        self.kept = {}

    def row(self, key: str, measure: Callable[[], dict]) -> dict:
        """Adds the row `measure()` returns, or the one kept under `key`."""
        row = self.kept.get(key) or measure()
        if not self.weights.items() <= _weights().items():
            raise ValueError("a model was trained anew meanwhile: start this table again")
        unknown = set(row) - set(self.columns)
        if unknown:
            raise ValueError(f"row {key!r} has {sorted(unknown)}; columns are {self.columns}")
        self.rows[key] = row
        self.journal.parent.mkdir(parents=True, exist_ok=True)
        rows = {**self.kept, **self.rows}
        self.commits.setdefault(key, self.commit)
        kept = {"facts": self.facts, "weights": self.weights, "commits": self.commits, "rows": rows}
        self.journal.write_text(json.dumps(kept))
        self.console.print("  ".join(f"{name} {_cell(row.get(name))}" for name in self.columns))
        return row

    def write(self, remarks: Iterable[str] = ()) -> Path:
        """Writes both files beside the module; `remarks` are sentences under the table."""
        where = provenance() | {"commit": ", ".join(dict.fromkeys(map(str, self._ran())))}
        record = {"title": self.title, "facts": self.facts, "rows": list(self.rows.values())}
        (FOLDER / f"{self.name}.json").write_text(
            json.dumps(record | {"remarks": list(remarks)} | where, indent=1) + "\n"
        )
        facts = "; ".join(f"{key}: {value}" for key, value in self.facts.items())
        lines = [
            f"# {self.title}",
            "",
            f"`python -m training.tables.{self.name}`, commit {where['commit']}, "
            f"{where['device']}. {facts}.",
            "",
            _line(self.columns),
            _line(["---"] * len(self.columns)),
            *(_line([_cell(row.get(c)) for c in self.columns]) for row in self.rows.values()),
            "",
            *(f"- {remark}" for remark in remarks),
        ]
        path = FOLDER / f"{self.name}.md"
        path.write_text("\n".join(lines).rstrip() + "\n")
        self.journal.unlink()
        return path

    def _ran(self):
        """Commits at which the rows were measured."""
        return [self.commits[key] for key in self.rows] or [self.commit]


def need(*models: str) -> None:
    """Raises ValueError, with the closest names, unless all are released: before hours of rows."""
    for model in models:
        released_entry(model)


def drawn(examples: int) -> dict:
    """The facts of so many test images, as `Split.sample` draws them."""
    return {"images": f"{examples} of the test set, drawn with seed 0", "seed": 0}


def _weights() -> dict[str, str]:
    """{model: sha256 of its weights} of every released folder."""
    return {
        path.parent.name: json.loads(path.read_text())["model.safetensors"]["sha256"]
        for path in sorted(CARDS.glob("*/manifest.json"))
    }


def _cell(value) -> str:
    if value is None:
        return ""
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _line(cells) -> str:
    return f"| {' | '.join(cells)} |"
