"""`python -m longdoc` is `lda`."""

from longdoc.cli.main import main

main()
