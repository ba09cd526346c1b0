"""What happens between two batches: progress, checkpoints, the time limit, and stopping."""

import math
import signal
import time
from collections.abc import Callable

import keras
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn


class Watch(keras.callbacks.Callback):
    """Saves every `interval` seconds and ends the run at `deadline` or on SIGTERM / Ctrl-C.

    Args:
        save: called with (batches done, seconds of this fit, unfinished metrics).
        first, batches: where the epoch starts after a resume, and its batches in all.
        label: names the epoch.
        batch_size: for images per second.
        interval: seconds between checkpoints.
        deadline: time.monotonic() at which to stop, or infinity.
        restore: called once the fit has reset its metrics; brings an unfinished epoch back.
    """

    def __init__(
        self,
        save: Callable,
        restore: Callable,
        *,
        first: int,
        batches: int,
        label: str,
        batch_size: int,
        interval: float,
        deadline: float,
    ):
        super().__init__()
        self.save, self.restore, self.first, self.batches = save, restore, first, batches
        self.batch_size, self.interval, self.deadline = batch_size, interval, deadline
        self.interrupted = False
        self.bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.completed}/{task.total}"),
            TimeRemainingColumn(),
            TextColumn("{task.fields[facts]}"),
            transient=True,
        )
        self.task = self.bar.add_task(label, total=batches, completed=first, facts="")

    def on_epoch_begin(self, epoch, logs=None):
        self.restore()
        self.started = self.saved = self.shown = time.monotonic()
        self.old = {s: signal.signal(s, self._stop) for s in (signal.SIGTERM, signal.SIGINT)}
        self.bar.start()

    def on_train_batch_end(self, batch, logs=None):
        done, now = self.first + batch + 1, time.monotonic()
        if now - self.shown > 1 or done == self.batches:
            self.shown = now
            self._show(done, now, logs or {})
        stop = self.interrupted or now >= self.deadline
        if done < self.batches and (stop or now - self.saved >= self.interval):
            self.saved = now
            if hasattr(self.model, "jax_state_sync"):
                self.model.jax_state_sync()
            self.save(done, now - self.started)
        self.model.stop_training = stop

    def on_train_end(self, logs=None):
        self.bar.stop()
        for number, handler in self.old.items():
            signal.signal(number, handler)

    def _show(self, done, now, logs):
        logs = {name: float(value) for name, value in logs.items()}
        if not math.isfinite(logs["loss"]):
            self.on_train_end()
            raise FloatingPointError(
                f"the loss became {logs['loss']} at batch {done}; the last checkpoint is from "
                "before. Lower the learning rate or clip the gradient"
            )
        speed = (done - self.first) * self.batch_size / (now - self.started)
        facts = "  ".join(f"{name} {value:.3f}" for name, value in logs.items())
        self.bar.update(self.task, completed=done, facts=f"{speed:.0f} img/s  {facts}")

    def _stop(self, number, frame):
        self.interrupted = True  # the batch under way is finished and saved first
