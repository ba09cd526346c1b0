"""Which examples an attack fails to break, at the least number of gradients."""
