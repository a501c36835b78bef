"""References: results of others and of this project to compare with, and the files that hold them."""
