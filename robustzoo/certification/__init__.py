"""Certification: lower bounds of margins that hold for every image within a threat.

proof = robustzoo.certify(model, images, labels, Linf(0.1), ("ibp", "crown"))
print(proof)                     # certified accuracy, by which method, with what tolerance
"""

from robustzoo.certification.cascade import cascade
from robustzoo.certification.cascade_report import CascadeReport
from robustzoo.certification.certificate import Certificate
from robustzoo.certification.certified_radius import certified_radius
from robustzoo.certification.certify import certify
from robustzoo.certification.methods import METHODS
from robustzoo.certification.write_onnx import write_onnx
from robustzoo.certification.write_vnnlib import write_vnnlib

__all__ = [
    "METHODS",
    "CascadeReport",
    "Certificate",
    "cascade",
    "certified_radius",
    "certify",
    "write_onnx",
    "write_vnnlib",
]
