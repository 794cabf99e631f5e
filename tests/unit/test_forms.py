"""Forms, urlencoded and multipart, and what is no form."""

from typing import Any

import pytest
from msgspec import Struct
from tests.asked import request

from hubbub.errors import Reject
from hubbub.forms import FIELD_LIMIT, Form, Upload

URLENCODED = "application/x-www-form-urlencoded"
IN_PARTS = "multipart/form-data; boundary=b"


class SignUp(Struct):
    name: str
    age: int


def form(body: bytes, kind: str = URLENCODED) -> Form:
    return Form.of(request(body=body, headers={"content-type": kind}))


def multipart(*parts: tuple[str, bytes]) -> Form:
    body = b"".join(
        b"--b\r\nContent-Disposition: form-data; " + head.encode() + b"\r\n\r\n" + content + b"\r\n"
        for head, content in parts
    )
    return form(body + b"--b--\r\n", IN_PARTS)


def test_fields_by_name() -> None:
    read = form(b"a=1&b=x+y&a=%C3%A4&&c")
    assert (read["a"], read["b"], read["c"]) == ("ä", "x y", "")
    assert read.get_all("a") == ["1", "ä"]
    assert (list(read), len(read), "a" in read, "z" in read) == (["a", "b", "c"], 3, True, False)
    assert (read.get("z"), read.get("z", "-")) == ("", "-")
    with pytest.raises(KeyError):
        read["z"]
    assert len(form(b"")) == 0


def test_a_form_becomes_a_struct() -> None:
    assert form(b"name=Ada&age=36").to(SignUp) == SignUp("Ada", 36)
    with pytest.raises(Reject, match=r"\$\.age") as refused:
        form(b"name=Ada&age=old").to(SignUp)
    assert refused.value.status == 422


def test_files_come_with_their_fields() -> None:
    read = multipart(
        ('name="title"', "Übersicht".encode()),
        ('name="paper"; filename="C:\\\\x\\\\a.txt"\r\nContent-Type: text/plain', b"\r\n--\xff"),
        ('name="other"; filename="../../etc/passwd"', b""),
    )
    assert read["title"] == "Übersicht"
    assert read.files["paper"] == Upload("a.txt", "text/plain", b"\r\n--\xff")
    assert read.files["other"].name == "passwd"


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (b"a=1", "text/plain", 415),
        (b"a=1", "", 415),
        (b"a=1", "multipart/form-data", 415),
        (b"a=%ff", URLENCODED, 400),
        (b"a=\xff", URLENCODED, 400),
        (b"a&" * FIELD_LIMIT + b"a", URLENCODED, 413),
        (b"nothing", IN_PARTS, 400),
        (b"--b\r\n\r\nx\r\n--b--\r\n", IN_PARTS, 400),
        (b"--b\r\nContent-Disposition: form-data; name=a\r\n\r\nx", IN_PARTS, 400),
    ],
)
def test_what_is_no_form(body: bytes, kind: str, status: int) -> None:
    with pytest.raises(Reject) as refused:
        form(body, kind)
    assert refused.value.status == status


def test_parts_are_bounded() -> None:
    def refused(*parts: tuple[str, bytes]) -> Any:
        with pytest.raises(Reject) as told:
            multipart(*parts)
        return told.value.status

    assert refused(*[('name="a"', b"")] * (FIELD_LIMIT + 1)) == 400
    assert refused((f'name="{"a" * 5000}"', b"")) == 400
    assert refused(('name="a"', b"\xff")) == 400


def test_a_field_may_have_several_files() -> None:
    photo = 'name="photos"; filename="{}.png"\r\nContent-Type: image/png'
    read = multipart((photo.format("one"), b"1"), (photo.format("two"), b"2"), ('name="a"', b"x"))
    assert [(file.name, file.content) for file in read.get_files("photos")] == [
        ("one.png", b"1"),
        ("two.png", b"2"),
    ]
    assert read.files["photos"].name == "two.png"
    assert read.get_files("a") == []


@pytest.mark.parametrize(
    "parameters",
    ["boundary*=utf-8''b", "boundary*=bogus", "boundary*=nocharset''; boundary*0*=b", "boundary"],
)
def test_a_boundary_that_cannot_be_read_is_no_form(parameters: str) -> None:
    with pytest.raises(Reject) as refused:
        form(b"--b--\r\n", f"multipart/form-data; {parameters}")
    assert refused.value.status == 415
