"""The README's ten lines on defensive distillation, on linear nets and images of four kinds."""

import numpy as np

from tests.readme.block import block
from tests.readme.test_readme_rce import my_model, quadrants


def test_the_student_of_an_own_teacher_predicts_right():
    images, labels = quadrants()
    scope = {"my_model": my_model, "images": images, "labels": labels}
    exec(block("loss=TemperedCrossEntropy("), scope)
    assert np.mean(scope["student"].predict(images).argmax(axis=1) == labels) > 0.95
