"""`python -m ferbook` is the command `ferbook`."""


def main() -> None:
    """The command line; Ctrl-C ends it in silence, even while it is being read."""
    try:
        from ferbook.cli import app

        app()
    except KeyboardInterrupt:
        raise SystemExit(130) from None


if __name__ == "__main__":
    main()
