"""What proves Hubbub: unit, integration, conformance and torture tests."""
