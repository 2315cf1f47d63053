"""What computes what a mind computes: tokens, logits, replies. Imports nothing of ludus."""
