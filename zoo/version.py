"""The release of the zoo; workers compare theirs with the driver's."""

VERSION = "0.1.0"
