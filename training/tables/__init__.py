"""Published numbers and ours, side by side: `python -m training.tables.NAME` writes each table."""
