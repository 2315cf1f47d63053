"""Populations that change: selection by what their members earn against each other."""
