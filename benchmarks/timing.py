"""Times taken in turn, their ratios, and the targets."""

import argparse
import sys
import time
from collections.abc import Callable

import numpy as np
import tensorflow as tf
from rich import box
from rich.console import Console
from rich.table import Table

from robustzoo.backend import accelerated

# Largest ratio of a time to the floor of its benchmark.
TARGETS = {"PGD-40": 1.03, "TRADES step": 1.10, "Madry step": 1.10, "robustzoo.load": 1.20}


def function(fn: Callable) -> Callable:
    """`tf.function` as robustzoo compiles: through XLA on an accelerator only."""
    return tf.function(fn, jit_compile=accelerated(), autograph=False)


def options(description: str, rounds: int, seconds: float) -> argparse.Namespace:
    """Command line of a benchmark, with its default `rounds` and `seconds`."""
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.ArgumentDefaultsHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=rounds, help="rounds, one ratio from each")
    parser.add_argument(
        "--seconds", type=float, default=seconds, help="least time of one measure in a round"
    )
    given = parser.parse_args()
    if given.rounds < 1 or given.seconds < 0:
        parser.error(f"rounds must be >= 1 and seconds >= 0. Received: {vars(given)}")
    return given


def interleaved(work: dict[str, Callable], rounds: int, seconds: float) -> dict[str, np.ndarray]:
    """Seconds per call of each of `work`, wall clock and CPU: {name: (rounds, 2)}.

    All are measured in every round, so that other load on the machine slows them alike, in an
    order drawn anew each time. One call of each before that is not counted.
    """
    for call in work.values():
        call()
    times = {name: [] for name in work}
    order = np.random.default_rng(0)
    for _ in range(rounds):
        for name in order.permutation(list(work)):
            times[name].append(_seconds_per_call(work[name], seconds))
    return {name: np.array(measured) for name, measured in times.items()}


def report(
    title: str,
    times: dict[str, np.ndarray],
    floor: str,
    checks: dict[str, list[str]] | None = None,
    columns: tuple[str, ...] = (),
) -> bool:
    """Prints a table of `times`; returns whether all targets are met.

    Args:
        floor: name of the measure that the others are divided by, round by round.
        checks: {name: what to print under `columns`}, evidence that the same work was done.
    """
    table = Table(title=title, box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for column in ("", "seconds", "ratio", "range", "CPU", "target", *columns):
        table.add_column(column, justify="right" if column else "left", no_wrap=True)
    met = True
    for name, own in times.items():
        ratios, cpu = (own / times[floor]).T
        ratio, target = np.median(ratios), TARGETS.get(name)
        missed = target is not None and ratio > target
        met = met and not missed
        cells = [f"{np.median(own[:, 0]):.3g}", f"{ratio:.3f}"]
        cells += [f"{ratios.min():.2f}-{ratios.max():.2f}", f"{np.median(cpu):.3f}"]
        cells += [f"<= {target:.2f}" if target else "", *(checks or {}).get(name, [])]
        table.add_row(name, *cells, style="red" if missed else "green" if target else None)
    Console().print(table)
    return met


def finish(met: bool) -> None:
    """Ends the process, with code 1 if a target was missed."""
    sys.exit(0 if met else "a target was missed")


def _seconds_per_call(call: Callable, seconds: float) -> tuple[float, float]:
    calls, begin, cpu = 0, time.perf_counter(), time.process_time()
    while not calls or time.perf_counter() - begin < seconds:
        call()
        calls += 1
    return (time.perf_counter() - begin) / calls, (time.process_time() - cpu) / calls
