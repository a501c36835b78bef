"""The former place of `zoo.store`: public names that moved still work from here, with a warning."""
