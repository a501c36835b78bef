"""The global state of the process, which the code of one run must not change for the next one."""
