"""``python -m spn``: what `spn` is, once installed."""
from .commands import main

main(prog_name='spn')
