"""Commands: the sub-commands of python -m pneumo that read films."""
