"""Commands: the sub-commands of `pneumo`, one module each."""
