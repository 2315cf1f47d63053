"""Guests: other libraries' games played here, our games played there. A file per library, imported by nobody in core.

Their words (env, observation, reward, agent) stay in these files. Each says what it offers, what it takes in, and what
cannot be done.
"""
