"""The ``tabgan`` command."""
