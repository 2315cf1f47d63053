"""Ludus: a laboratory for agents that improve themselves."""

__version__ = "0.1.0"
