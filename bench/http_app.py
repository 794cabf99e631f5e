"""What is measured of ours over HTTP: a small document, and files."""

import os

from hubbub import App, Request

app = App()


@app.get("/json")
def document(req: Request) -> dict[str, str]:
    """The same small document for everybody."""
    return {"message": "hello"}


app.static("/static", os.environ["BENCH_FILES"])
