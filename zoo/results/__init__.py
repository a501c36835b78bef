"""The former location of `zoo.store`: public names that moved still work here, with a warning."""
