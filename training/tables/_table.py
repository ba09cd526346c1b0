"""A table that survives interruption and says where it came from."""

import json
import math
from collections.abc import Callable, Iterable
from pathlib import Path

from rich.console import Console

from robustzoo import zoo
from robustzoo.provenance import provenance
from robustzoo.whole_file import whole_file
from robustzoo.zoo.registry import released_entry
from training.command import command

FOLDER = Path(__file__).parent
RUNS = FOLDER.parent / "runs" / "tables"
CARDS = FOLDER.parents[1] / "model_cards"


class Table:
    """Rows measured one by one, then written as `<name>.md` and `<name>.json`.

        table = Table("linear", "Linear MNIST 0 against 1", ["model", "published", "ours"], facts)
        table.row("robust, attacked", lambda: {"model": ..., "published": 0.025, "ours": 0.024})
        table.write(["Both models are ..."])

    A row that was measured already, under the same facts, is not measured again, unless a model of
    its own was released or trained anew meanwhile. Rows of several runs, as of an option that
    measures a part of them, come together in a journal; the run that measures or finds all of them
    writes the table.

    Args:
        name: of the module in this folder, and of the files.
        title: heading of the table.
        columns: keys of a row in the order shown; a row may leave some out.
        facts: what all rows share: data set, number of images, seeds, attacks. JSON. Which "models"
            there are is told, but decides nothing: rows say what they were measured on.
    """

    def __init__(self, name: str, title: str, columns: Iterable[str], facts: dict):
        self.name, self.title, self.columns, self.facts = name, title, list(columns), facts
        self.console, self.rows, self.commit = Console(), {}, provenance()["commit"]
        self.weights = _weights()  # before any model is loaded
        self.journal, self.kept = RUNS / f"{name}.json", {}
        if self.journal.exists():
            found = json.loads(self.journal.read_text())
            if found["decisive"] == self._decisive():
                self.kept = found["rows"]

    def row(self, key: str, measure: Callable[[], dict], *models: str) -> dict:
        """Adds the row `measure()` returns, or the one kept under `key`.

        Args:
            models: names of the released models it is measured on.

        Raises ValueError if one of them was trained anew since this run began.
        """
        weights, kept = {model: self.weights.get(model) for model in models}, self.kept.get(key)
        if not kept or kept["weights"] != weights:
            kept = {"row": measure(), "weights": weights, "commit": self.commit}
            now = _weights()
            if any(now.get(model) != known for model, known in weights.items()):
                raise ValueError(f"a model of {key!r} was trained anew meanwhile: start again")
        row = kept["row"]
        unknown = set(row) - set(self.columns)
        if unknown:
            raise ValueError(f"row {key!r} has {sorted(unknown)}; columns are {self.columns}")
        self.kept[key], self.rows[key] = kept, row
        self.journal.parent.mkdir(parents=True, exist_ok=True)
        found = {"decisive": self._decisive(), "rows": self.kept}
        with whole_file(self.journal) as work:
            work.write_text(json.dumps(found))
        self.console.print("  ".join(f"{name} {_cell(row.get(name))}" for name in self.columns))
        return row

    def write(self, remarks: Iterable[str] = ()) -> Path:
        """Writes both files beside the module; `remarks` are sentences under the table."""
        where = provenance() | {"commit": ", ".join(dict.fromkeys(map(str, self._ran())))}
        by = command(f"training.tables.{self.name}")
        record = {"title": self.title, "command": by, "facts": self.facts}
        record["rows"] = list(self.rows.values())
        (FOLDER / f"{self.name}.json").write_text(
            json.dumps(record | {"remarks": list(remarks)} | where, indent=1) + "\n"
        )
        facts = "; ".join(f"{key}: {value}" for key, value in self.facts.items())
        lines = [
            f"# {self.title}",
            "",
            f"`{by}`, commit {where['commit']}, {where['device']}. {facts}.",
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

    def _decisive(self):
        """The facts, as JSON reads them back, that decide what a row holds."""
        return json.loads(json.dumps({k: v for k, v in self.facts.items() if k != "models"}))

    def _ran(self):
        """Commits at which the rows were measured."""
        return [self.kept[key]["commit"] for key in self.rows] or [self.commit]


def need(*models: str) -> None:
    """Raises ValueError, with the closest names, unless all are released: before hours of rows."""
    for model in models:
        released_entry(model)


def drawn(examples: int) -> dict:
    """The facts of so many test images, as `Split.sample` draws them."""
    wide = 98.0 / math.sqrt(examples)  # 1.96 standard deviations of a share of one half
    images = f"{examples} of the test set, drawn with seed 0; 95 % interval of a share: up to "
    return {"images": f"{images}+-{wide:.1f} points", "seed": 0}


def not_released(names: Iterable[str]) -> list[str]:
    """One sentence on the rows of models that `names` has and the zoo has not, if there are any."""
    missing = sorted(set(names) - set(zoo.list_models()))
    if not missing:
        return []
    recipes = ", ".join(name.replace("-", "_") for name in missing)
    return [f"Rows without numbers of ours are of recipes that we have not run: {recipes}."]


def sources(records: Iterable[dict]) -> dict:
    """Cells "images" and "command" of a row whose numbers come from these records of models."""
    examples, commands = zip(*((str(r["examples"]), r["command"]) for r in records), strict=True)
    return {"images": "; ".join(examples), "command": "; ".join(commands)}


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
