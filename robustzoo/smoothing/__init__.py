"""Randomised smoothing: a classifier with an L2 radius of its own, made of many noisy answers.

proof = certify_smoothed(model, images, labels, sigma=0.25)
print(proof)                     # of g(x) = argmax_c P(f(x + N(0, sigma^2 I)) = c), not of f
"""

from robustzoo.smoothing.base_classifier import base_classifier
from robustzoo.smoothing.certify_smoothed import certify_smoothed
from robustzoo.smoothing.lower_bound import lower_bound
from robustzoo.smoothing.predict import predict
from robustzoo.smoothing.smoothed_certificate import SmoothedCertificate

__all__ = ["SmoothedCertificate", "base_classifier", "certify_smoothed", "lower_bound", "predict"]
