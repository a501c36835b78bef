"""The report of stored results: one HTML file that a browser opens without a network.

`records` holds everything that the page shows, `collect` computes it from the store with the machinery of the
leaderboard and of comparisons, `payload` writes it as JSON, and `page` puts it into one file with the files of
`assets/` and the plotting library.
"""
