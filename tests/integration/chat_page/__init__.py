"""The chat's page in a real browser, with the real service behind it."""
