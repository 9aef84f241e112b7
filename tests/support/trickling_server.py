"""A server that answers without end, a few bytes at a time, whatever it is asked."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

PAUSE_SECONDS = 0.05


class TricklingServer:
    """Listens on a loopback port; see the module text.

    :param head: sent at once.
    :param piece: sent again and again afterwards.
    """

    def __init__(self, head: bytes, piece: bytes) -> None:
        self._head, self._piece = head, piece
        self._stopping = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self._listener.getsockname()[1]}"
        self.accepted = 0
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    def close(self) -> None:
        """End every connection, and the threads that serve them."""
        self._stopping.set()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in self._threads:
            thread.join()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                self.accepted += 1
                serving = threading.Thread(target=self._serve, args=(connection,), daemon=True)
                self._threads.append(serving)
                serving.start()

    def _serve(self, connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            connection.settimeout(PAUSE_SECONDS)
            connection.sendall(self._head)
            while not self._stopping.is_set():
                with contextlib.suppress(TimeoutError):
                    # What was asked is thrown away; and to wait for it is the pause.
                    if not connection.recv(65536):
                        self._stopping.wait(PAUSE_SECONDS)
                connection.sendall(self._piece)


@contextmanager
def trickling_server(head: bytes, piece: bytes) -> Iterator[TricklingServer]:
    """Run a server for as long as the block lasts."""
    server = TricklingServer(head, piece)
    try:
        yield server
    finally:
        server.close()
