"""What holds for every answer of the web process: it is counted, compressed where that helps, and kept by
nobody but where it is a file that does not change."""

from __future__ import annotations

import time

from flask import Flask, Response, g, request
from flask_compress import Compress

from server.observability import metrics

# A smaller answer fits into one packet as it is.
LEAST_COMPRESSED = 1024
COMPRESSED = ("application/json", "text/html", "text/css", "text/javascript", "application/javascript")
STATIC_MAX_AGE_S = 3600
# Paths that lead nowhere are told together: anybody can invent them.
NO_ROUTE = "none"


def register_http_manners(app: Flask) -> None:
    """Count, compress and mark all answers of *app*; before its blueprints are registered or after."""
    app.config.update(
        SEND_FILE_MAX_AGE_DEFAULT=STATIC_MAX_AGE_S,
        COMPRESS_ALGORITHM=["gzip"],
        COMPRESS_MIMETYPES=list(COMPRESSED),
        COMPRESS_MIN_SIZE=LEAST_COMPRESSED,
        COMPRESS_REGISTER=False,
        COMPRESS_STREAMS=False,
    )
    compress = Compress(app)

    @app.before_request
    def begin() -> None:
        g.began = time.perf_counter()

    @app.after_request
    def finish(response: Response) -> Response:
        is_static = _is_static()
        if not is_static:
            response.headers.setdefault("Cache-Control", "no-store")
        if response.mimetype in COMPRESSED:
            if is_static:
                _read_whole(response)
            response = compress.after_request(response)
        _count(response)
        return response


def _is_static() -> bool:
    return request.endpoint is not None and request.endpoint.rpartition(".")[2] == "static"


def _read_whole(response: Response) -> None:
    """A file is streamed, and what is streamed is not compressed; ours are small."""
    response.direct_passthrough = False
    response.make_sequence()


def _count(response: Response) -> None:
    route = NO_ROUTE if request.url_rule is None else request.url_rule.rule
    metrics.HTTP_REQUESTS.inc(method=_method(), route=route, status=str(response.status_code))
    # What came before this one's hooks, and failed there, began without us.
    if "began" in g:
        metrics.HTTP_SECONDS.observe(time.perf_counter() - g.began, route=route)


def _method() -> str:
    """The method; what is none of HTTP's own is told together."""
    return request.method if request.method in _METHODS else "other"


_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
