"""Says its id, and ends when asked to, saying so."""

import os
import signal

signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
print("pid", os.getpid())
signal.sigwait({signal.SIGTERM})
print("asked to end")
