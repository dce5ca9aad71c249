#!/usr/bin/env python3
# meet.py - says "go" to N clients that are here at the same time
# usage: meet.py N SECONDS
#
# Prints its port. A client that has waited SECONDS for the others gets
# nothing. Ends with its standard input.
import select
import socket
import sys
import time

need, patience = int(sys.argv[1]), float(sys.argv[2])
server = socket.create_server(("127.0.0.1", 0))
print(server.getsockname()[1], flush=True)
waiting = {}
while True:
    ready, _, _ = select.select([server, sys.stdin], [], [], 0.05)
    if sys.stdin in ready and not sys.stdin.buffer.read1(1):
        break
    if server in ready:
        waiting[server.accept()[0]] = time.monotonic()
    if len(waiting) >= need:
        for client in waiting:
            client.sendall(b"go\n")
            client.close()
        waiting = {}
    for client, since in list(waiting.items()):
        if time.monotonic() - since > patience:
            client.close()
            del waiting[client]
