"""Attacks on a live server: what it costs it, against the bounds of docs/reliability.md."""
