"""Bridges: people of other networks in the same rooms."""
