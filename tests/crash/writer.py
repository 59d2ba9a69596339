# SPDX-License-Identifier: BSD-3-Clause
"""A connection that writes and never blocks, and what of its answers a database keeps."""
import json

NOT_KEPT = {"invalid", "unavailable", "rate_limited"}  # answers that a repeated id does not get
# Keys and tokens are in memory only; whether it is programmed is asked anew.
NOT_STORED = {"tx_key", "rx_key", "token", "url", "code", "group_key", "programmed"}


def stored(answer):
    if isinstance(answer, dict):
        return {k: stored(v) for k, v in answer.items() if k not in NOT_STORED}
    return [stored(v) for v in answer] if isinstance(answer, list) else answer


def kept(answer):
    return answer["ok"] or answer["error"]["code"] not in NOT_KEPT


class Connection:
    """One of many that write; never blocks."""

    def __init__(self, client):
        self.socket = client.socket
        self.socket.setblocking(False)
        self.incoming = b""
        self.outgoing = b""
        self.ended = False

    def flush(self):
        try:
            while self.outgoing:
                self.outgoing = self.outgoing[self.socket.send(self.outgoing):]
        except BlockingIOError:
            pass
        except OSError:
            self.ended = True

    def lines(self):
        """Whole lines that have come; a half one at the end was never said."""
        try:
            while True:
                got = self.socket.recv(1 << 20)
                if not got:
                    self.ended = True
                    break
                self.incoming += got
        except BlockingIOError:
            pass
        except OSError:
            self.ended = True
        *whole, self.incoming = self.incoming.split(b"\n")
        return [json.loads(line) for line in whole]
