"""``python -m tabgan``: the command line, where its script is not on the path."""

from tabgan.cli.main import main

if __name__ == "__main__":
    main()
