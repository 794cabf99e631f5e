"""Autobahn's 517 cases, run by kosoku against an echo app of ours."""
