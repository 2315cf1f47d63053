"""What chooses: scripted, tabular, language and human players. Each is a Policy, or a Chooser of `ludus.play`."""
