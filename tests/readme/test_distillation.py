"""The README's ten lines on defensive distillation, on linear nets and images of four kinds."""

import numpy as np

from tests.readme.test_rce import my_model, quadrants

EXAMPLE = """
import robustzoo
import keras
from robustzoo.defenses import Distillation
from robustzoo.losses import TemperedCrossEntropy

teacher, student = my_model(), my_model()  # Keras models that end in logits
teacher.compile(keras.optimizers.Adam(1e-1), loss=TemperedCrossEntropy(20.0))
teacher.fit(images, labels, batch_size=64, epochs=40)
defense = Distillation(student, teacher, temperature=20.0)
defense.compile(keras.optimizers.Adam(1e-1))
defense.fit(images, labels, batch_size=64, epochs=40)  # keep `student`, as it is: at T = 1
"""


def test_the_student_of_an_own_teacher_predicts_right():
    images, labels = quadrants()
    scope = {"my_model": my_model, "images": images, "labels": labels}
    exec(EXAMPLE, scope)
    assert np.mean(scope["student"].predict(images).argmax(axis=1) == labels) > 0.95
