"""uvicorn's HTTP protocol with a bound on what a request brings beside its body.

httptools collects an address, headers and trailers of any length, before any of them is seen by an application.
"""

from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

LONGEST = 65_536  # bytes, and what one read from the socket brings: a document may come in the address


class BoundedProtocol(HttpToolsProtocol):
    """Closes connections whose request has too much beside its body: address, headers, what frames chunks, trailers."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - uvicorn's signature
        super().__init__(*args, **kwargs)
        self._beside_body = 0

    def data_received(self, data: bytes) -> None:
        self._beside_body += len(data)
        super().data_received(data)
        if self._beside_body > LONGEST and not self.transport.is_closing():
            self.send_400_response("The head of the request is too long.")

    def on_body(self, body: bytes) -> None:
        self._beside_body -= len(body)
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._beside_body = 0
        super().on_message_complete()
