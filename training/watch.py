"""A look at the clock between two batches: progress, when to save, when to stop."""

import signal
import time

from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn


class Watch:
    """Shows progress, and tells when a checkpoint or the end is due.

        with Watch(...) as watch:
            for ...:
                watch.tick(done, logs)
                if watch.save_due or watch.stop_due: ...

    SIGTERM and Ctrl-C make `stop_due` true, so that the batch under way is finished first.

    Args:
        label: names the epoch.
        first, total: batches done already, and in all.
        batch_size: for images per second.
        interval: seconds between checkpoints.
        deadline: time.monotonic() at which to stop, or infinity.
    """

    def __init__(self, label, first, total, batch_size, interval, deadline):
        self.first, self.batch_size = first, batch_size
        self.interval, self.deadline = interval, deadline
        self.interrupted = False
        self.start = self.saved = self.shown = time.monotonic()
        self.bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.completed}/{task.total}"),
            TimeRemainingColumn(),
            TextColumn("{task.fields[facts]}"),
            transient=True,
        )
        self.bar.disable = not self.bar.console.is_terminal
        self.task = self.bar.add_task(label, total=total, completed=first, facts="")

    def __enter__(self):
        self.old = {s: signal.signal(s, self._interrupt) for s in (signal.SIGTERM, signal.SIGINT)}
        self.bar.start()
        return self

    def __exit__(self, *error):
        self.bar.stop()
        for number, handler in self.old.items():
            signal.signal(number, handler)

    @property
    def seconds(self) -> float:
        """Time since the start."""
        return time.monotonic() - self.start

    @property
    def save_due(self) -> bool:
        """Whether `interval` has passed; true once per interval."""
        if time.monotonic() - self.saved < self.interval:
            return False
        self.saved = time.monotonic()
        return True

    @property
    def stop_due(self) -> bool:
        """Whether the deadline has passed or a signal came."""
        return self.interrupted or time.monotonic() >= self.deadline

    def speed(self, done: int) -> float:
        """Images per second."""
        return (done - self.first) * self.batch_size / self.seconds

    def tick(self, done: int, logs: dict) -> None:
        """Shows `done` batches with their metrics, about once a second."""
        if time.monotonic() - self.shown < 1:
            return
        self.shown = time.monotonic()
        facts = "  ".join(f"{name} {value:.3f}" for name, value in logs.items())
        self.bar.update(self.task, completed=done, facts=f"{self.speed(done):.0f} img/s  {facts}")

    def _interrupt(self, number, frame):
        self.interrupted = True
