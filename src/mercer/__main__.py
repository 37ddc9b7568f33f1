"""`python -m mercer`: the command line without the console script."""

from mercer.cli import main

if __name__ == "__main__":
    main()
