"""One-file HTML reports on a filled table or on synthetic rows, to look at in a browser or a notebook."""
