"""Standard training."""

from robustzoo.defenses.base import Defense


class StandardTraining(Defense):
    """CE(f(x), y): no attack in training; give `validation_attack` to watch what that costs."""

    attacked = False

    def objective(self, x, x_adv, y):
        logits = self.logits(x)
        return self.criterion(y, logits), logits, None
