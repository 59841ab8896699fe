"""The verbs of the galleria command, one file each."""
