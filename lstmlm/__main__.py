"""`python -m lstmlm` is `lstmlm`."""

from lstmlm.cli import main

main()
