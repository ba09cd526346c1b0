"""Times taken in turn, their ratios, and the targets."""

import argparse
import sys
import time
from collections.abc import Callable, Sequence

import numpy as np
import tensorflow as tf
from rich import box
from rich.console import Console
from rich.table import Table

from robustzoo.backend import accelerated

# Largest ratio of a time to the floor of its benchmark, and to the faster of Foolbox and ART.
FLOORS = {"PGD-40": 1.03, "TRADES step": 1.10, "Madry step": 1.10, "robustzoo.load": 1.20}
FLOORS |= {"IBP": 1.50, "CROWN-IBP": 1.50, "CROWN": 1.50}
WIDTH = 140  # of a table that goes into a pipe or file
PEERS = ("Foolbox", "ART")
OVER_PEERS = {"PGD-40": 0.55, "C&W": 0.5, "DeepFool": 0.5, "EAD": 0.5, "robust evaluation": 0.25}


def function(fn: Callable) -> Callable:
    """`tf.function` as robustzoo compiles: through XLA on an accelerator only."""
    return tf.function(fn, jit_compile=accelerated(), autograph=False)


def options(
    description: str, rounds: int, seconds: float, only: Sequence[str] = (), images: int = 0
) -> argparse.Namespace:
    """Command line of a benchmark: its default `rounds`, `seconds` and `images`, and its tables."""
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.ArgumentDefaultsHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=rounds, help="rounds, one ratio from each")
    parser.add_argument(
        "--seconds", type=float, default=seconds, help="least time of one measure in a round"
    )
    if only:
        parser.add_argument("--only", choices=only, help="one table of several")
    if images:
        parser.add_argument("--images", type=int, default=images, help="fewer rehearse")
    given = parser.parse_args()
    if images and given.images < 1:
        parser.error(f"images must be >= 1. Received: {given.images}")
    if given.rounds < 1 or given.seconds < 0:
        parser.error(f"rounds must be >= 1 and seconds >= 0. Received: {vars(given)}")
    return given


def interleaved(
    work: dict[str, Callable], rounds: int, seconds: float, warm: Sequence[str] | None = None
) -> tuple[dict[str, np.ndarray], dict]:
    """Seconds per call of each of `work`, wall clock and CPU: {name: (rounds, 2)}, and results.

    All are measured in every round, so that other load on the machine slows them alike, in an
    order drawn anew each time. One call before that is not counted: of all, or of those in `warm`.
    """
    results, times = {}, {name: [] for name in work}
    order = np.random.default_rng(0)
    with Console(stderr=True).status("") as status:
        for name in work if warm is None else warm:
            status.update(f"{name}, not counted")
            results[name] = work[name]()
        for turn in range(rounds):
            for name in order.permutation(list(work)):
                status.update(f"{name}, round {turn + 1} of {rounds}")
                measured, results[name] = _seconds_per_call(work[name], seconds)
                times[name].append(measured)
    return {name: np.array(measured) for name, measured in times.items()}, results


def report(
    title: str,
    times: dict[str, np.ndarray],
    floor: str | None = None,
    checks: dict[str, list[str]] | None = None,
    columns: tuple[str, ...] = (),
) -> bool:
    """Prints a table of `times`; returns whether all targets are met.

    Args:
        floor: name of the measure that the others are divided by, round by round; None if there
            are only peers to compare with.
        checks: {name: what to print under `columns`}, evidence that the same work was done.
    """
    peers = [name for name in PEERS if name in times]
    best = min(peers, key=lambda name: np.median(times[name][:, 0])) if peers else None
    comparisons = [(floor, "of the floor", FLOORS), (best, f"of {best}", OVER_PEERS)]
    comparisons = [c for c in comparisons if c[0] is not None]
    table = Table(title=title, box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for column in ("", "seconds", "CPU", *(c[1] for c in comparisons), *columns):
        table.add_column(column, justify="right" if column else "left", no_wrap=True)
    met = True
    for name, own in times.items():
        cells, missed = [f"{value:.3g}" for value in np.median(own, axis=0)], False
        for other, _, targets in comparisons:
            ratios, target = own[:, 0] / times[other][:, 0], targets.get(name)
            missed |= target is not None and np.median(ratios) > target
            goal = f" <= {target:.2f}" if target else ""
            spread = f"{ratios.min():.2f}-{ratios.max():.2f}"
            cells.append(f"{np.median(ratios):.3f} ({spread}){goal}")
        met = met and not missed
        style = "red" if missed else "green" if name in FLOORS | OVER_PEERS else None
        table.add_row(name, *cells, *(checks or {}).get(name, []), style=style)
    # A pipe has no width of its own, and 80 columns would cut the ratios.
    console = Console()
    (console if console.is_terminal else Console(width=WIDTH)).print(table)
    return met


def finish(met: bool) -> None:
    """Ends the process, with code 1 if a target was missed."""
    sys.exit(0 if met else "a target was missed")


def _seconds_per_call(call: Callable, seconds: float) -> tuple[tuple[float, float], object]:
    calls, begin, cpu = 0, time.perf_counter(), time.process_time()
    while not calls or time.perf_counter() - begin < seconds:
        result = call()
        calls += 1
    spent = (time.perf_counter() - begin) / calls, (time.process_time() - cpu) / calls
    return spent, result
