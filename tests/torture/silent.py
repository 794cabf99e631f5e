"""People who are in channels of IRC and say nothing, in a process of their own: they are many.

`python -m tests.torture.silent PORT PEOPLE ROOMS`; ends when its input does.
"""

import selectors
import socket
import sys


def main() -> None:
    """Comes, answers PING, and listens to nothing."""
    port, people, rooms = map(int, sys.argv[1:])
    watched = selectors.DefaultSelector()
    watched.register(sys.stdin, selectors.EVENT_READ)
    for number in range(people):
        client = socket.create_connection(("127.0.0.1", port))
        client.sendall(f"NICK n{number}\r\nUSER u 0 * :n\r\n".encode())
        watched.register(client, selectors.EVENT_READ, f"#room{number % rooms}")
    while True:
        for key, _ in watched.select():
            if not isinstance(key.fileobj, socket.socket):
                return
            heard = key.fileobj.recv(65_536)
            if not heard:
                watched.unregister(key.fileobj)
                continue
            for line in heard.split(b"\r\n"):
                if line.startswith(b"PING"):
                    key.fileobj.sendall(line.replace(b"PING", b"PONG", 1) + b"\r\n")
                elif line.split()[1:2] == [b"001"]:
                    key.fileobj.sendall(f"JOIN {key.data}\r\n".encode())


if __name__ == "__main__":
    main()
