"""The command `zoo`, also as `python -m zoo`."""


def main() -> None:
    """Run the command line."""
    from zoo.cli.app import app

    app(prog_name="zoo")


if __name__ == "__main__":
    main()
