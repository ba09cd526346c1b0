"""The trainer goes on exactly where it was killed, and on two devices as on one."""

import time

import numpy as np

from tests.trainer.runs import outcome, start, train, write_recipe


def test_killed_twice_and_resumed_gives_the_same_weights_and_curve(workplace):
    # Killed without warning as soon as a checkpoint in the middle of the run is there ...
    process = start("halves", "--checkpoint-minutes", "0")
    checkpoint = workplace / "runs-halves" / "tiny.safetensors"
    while not checkpoint.exists():
        assert process.poll() is None
        time.sleep(0.005)
    process.kill()
    process.communicate()
    assert not (workplace / "halves").exists()
    # ... then stopped by its own clock after one more batch, then left to finish.
    limited = train("halves", "--limit-minutes", "1e-9")
    assert "going on from" in limited.stdout and "stopped in epoch" in limited.stdout
    finished = train("halves")
    assert finished.exit_code == 0 and "going on from" in finished.stdout, finished.output
    whole = start("whole")
    whole.communicate()
    assert whole.returncode == 0
    (weights, record), (resumed, resumed_record) = map(
        outcome, (workplace / "whole", workplace / "halves")
    )
    for name, value in weights.items():
        np.testing.assert_array_equal(resumed[name], value)
    assert resumed_record["curve"] == record["curve"] and len(record["curve"]) == 3
    assert not checkpoint.exists()  # the next run starts anew
    assert record["command"].startswith("python -m training.train tiny.py")
    assert (record["models"], record["earlier"], resumed_record["earlier"]) == ({}, [], [])


def test_two_devices_have_the_loss_curve_of_one(workplace):
    write_recipe(workplace, start="clean")  # noise would differ between the devices
    recipe = workplace / "tiny.py"  # and Keras clips before it adds up the devices' gradients
    recipe.write_text(recipe.read_text().replace(", clipnorm=1.0", ""))
    flags = {"XLA_FLAGS": "--xla_force_host_platform_device_count=2"}
    curves = []
    for devices in ("1", "2"):
        process = start(f"on-{devices}", "--devices", devices, **flags)
        process.communicate()
        assert process.returncode == 0
        curves.append([e["loss"] for e in outcome(workplace / f"on-{devices}")[1]["curve"]])
    np.testing.assert_allclose(curves[0], curves[1], rtol=1e-4)
