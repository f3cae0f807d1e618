"""What every test relies on."""

import signal

# A shell that starts `make test` in the background has it ignore Ctrl-C, and every process below
# inherits that. The tests that interrupt a process need the usual handling.
if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
