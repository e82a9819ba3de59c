"""The server under the HTTP benchmark: as `rdv serve` runs it, at a time of the benchmark's own.

`python -m benchmarks.served SOCKET`: the socket (an inherited file descriptor) is already bound; the database's address
comes from the environment like any setting.
"""

import socket
import sys

from benchmarks.office import NOW
from rdv.cli.serve import run
from rdv.integrations.identity import NoIdentity
from rdv.settings import read_settings

if __name__ == "__main__":
    listening = socket.socket(fileno=int(sys.argv[1]))
    run(read_settings(), listening, clock=lambda: NOW, identity=NoIdentity(), ready=lambda: None)
