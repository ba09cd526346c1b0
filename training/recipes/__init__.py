"""One recipe per file: what is trained, how, and what came of it."""
