#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""The service manager's end of sd_notify: prints each datagram on a line. usage: ... SOCKET"""
import socket
import sys

listener = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
listener.bind(sys.argv[1])
print("listening", flush=True)
while True:
    print(listener.recv(4096).decode().replace("\n", " "), flush=True)
