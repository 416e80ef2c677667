"""Says its id and that of a child, and neither ends when asked to."""

import os
import signal

signal.signal(signal.SIGTERM, signal.SIG_IGN)
child = os.fork()
if child:
    print("pid", os.getpid(), child)
while True:
    signal.pause()
