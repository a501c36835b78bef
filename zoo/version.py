"""The version of the zoo; worker processes compare theirs with that of the main process."""

VERSION = "0.1.0"
