"""Churn for as long as one has time: `make soak SECONDS=3600`."""
