"""``python -m spn`` does the same as the command `spn`, which installing the package adds."""
from .commands import main

main(prog_name='spn')
