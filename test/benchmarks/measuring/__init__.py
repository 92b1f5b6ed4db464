"""What the benches share: an instance with data of a size, load, limits, and tables of figures.

A bench that is asked to end undoes what it has set up, as it does after Ctrl-C.
"""
import signal
import sys

signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
