"""`python -m tandem_cli`, the same as `tandem`."""

from tandem_cli.entrypoint import tandem

if __name__ == "__main__":
    tandem()
