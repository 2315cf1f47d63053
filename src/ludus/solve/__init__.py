"""Solvers: from a Tree to a strategy. Best responses, the sequence form, counterfactual regret minimisation."""
