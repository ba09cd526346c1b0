"""What the header of a recipe says is what was measured."""

import json

from training.header import write_header

RECIPE = '''"""A net.

Command:  run it
Expect:   not yet
          measured
"""

expect = "Expect:   x"
'''
TRAINING = {
    "seconds": 120.0,
    "device": "CPU",
    "best_epoch": 1,
    "curve": [{"val_accuracy": 0.9, "val_robust_accuracy": 0.5}],
}
EVALUATION = {
    "results": [{"label": "clean", "accuracy": 0.91}, {"label": "PGD-20", "accuracy": 0.5}],
    "threat": {"norm": "linf", "eps": "8/255"},
    "examples": 10000,
}


def header(tmp_path, **files):
    recipe = tmp_path / "recipe.py"
    recipe.write_text(RECIPE)
    for name, record in files.items():
        (tmp_path / f"{name}.json").write_text(json.dumps(record))
    write_header(recipe, tmp_path)
    write_header(recipe, tmp_path)  # twice is once
    head, rest = recipe.read_text().split('"""\n', 1)
    assert rest == '\nexpect = "Expect:   x"\n'
    return head


def test_says_the_validation_until_there_is_a_measurement(tmp_path):
    text = header(tmp_path, training=TRAINING)
    assert "Expect:   clean 90.0, robust 50.0 % of validation images, not measured" in text
    assert text.endswith("; 2 minutes\n          on CPU\n")
    text = header(tmp_path, training=TRAINING | {"curve": [], "best_epoch": 0})
    assert "Expect:   nothing was trained, not yet measured; 2 minutes on CPU" in text


def test_says_what_was_proved_unless_as_many_images_were_attacked(tmp_path):
    attacked = {"label": "PGD-40", "accuracy": 0.9565}
    proof = {"accuracy": 0.9788, "certified_accuracy": 0.9357, "attacked": attacked}
    proof |= {"threat": {"norm": "linf", "eps": "0.1"}, "examples": 10000}
    text = " ".join(header(tmp_path, training=TRAINING, certificate=proof).split())
    assert "clean 97.88, PGD-40 95.65, certified 93.57 % at Linf 0.1, 10,000 test images" in text
    text = header(tmp_path, training=TRAINING, certificate=proof, eval=EVALUATION)
    assert "certified" not in text and "PGD-20 50.00 %" in text
    sample = EVALUATION | {"examples": 1000}
    assert "certified" in header(tmp_path, training=TRAINING, certificate=proof, eval=sample)
    spared = EVALUATION | {"proved": {"methods": ["ibp"]}}
    assert "certified" in header(tmp_path, training=TRAINING, certificate=proof, eval=spared)


def test_says_what_was_measured(tmp_path):
    text = header(tmp_path, training=TRAINING, eval=EVALUATION)
    assert "clean 91.00, PGD-20 50.00 % at Linf 8/255, 10,000 test images" in text
    assert "not yet" not in text and "Command:  run it" in text
