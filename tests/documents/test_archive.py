"""Archives: hostile ones are refused, sloppy ones are read."""

import io
import zipfile

import pytest

from longdoc.documents.archive import Archive, member_path
from longdoc.documents.limits import Limits
from longdoc.errors import DocumentTooLargeError, EncryptedDocumentError, MalformedDocumentError
from tests.documents.book_files import zip_of


def archive(data: bytes, **limits: int) -> Archive:
    return Archive(data, source="test.zip", limits=Limits(**limits))


def test_a_member_of_nothing_but_zeros_is_refused_as_a_bomb() -> None:
    bomb = archive(zip_of({"a": bytes(20_000_000)}))
    with pytest.raises(DocumentTooLargeError, match="bomb"):
        bomb.read("a")


def test_the_header_is_not_believed_about_the_size() -> None:
    data = bytearray(zip_of({"a": bytes(20_000_000)}))
    size = (20_000_000).to_bytes(4, "little")
    while (at := data.find(size)) >= 0:
        data[at : at + 4] = (100).to_bytes(4, "little")
    with pytest.raises((DocumentTooLargeError, MalformedDocumentError)):
        archive(bytes(data)).read("a")


def test_the_sum_of_all_members_is_bounded() -> None:
    many = archive(zip_of({f"{n}": bytes(range(256)) * 4 for n in range(9)}), total_bytes=4096)
    for n in range(4):
        many.read(f"{n}")
    with pytest.raises(DocumentTooLargeError):
        many.read("5")


def test_too_many_members_are_refused() -> None:
    with pytest.raises(DocumentTooLargeError, match="members"):
        archive(zip_of({f"{n}": "" for n in range(30)}), members=20)


@pytest.mark.parametrize("name", ["../evil", "a/../../evil", "/etc/evil", "..\\evil", "C:\\evil"])
def test_members_outside_the_archive_are_refused(name: str) -> None:
    with pytest.raises(MalformedDocumentError, match="outside"):
        archive(zip_of({name: "x"}))


def test_links_are_refused() -> None:
    link = zipfile.ZipInfo("link")
    link.create_system = 3
    link.external_attr = 0o120777 << 16
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as made:
        made.writestr(link, "/etc/passwd")
    with pytest.raises(MalformedDocumentError, match="link"):
        archive(buffer.getvalue())


def test_encrypted_members_are_told_from_broken_ones() -> None:
    data = bytearray(zip_of({"a": "secret"}))
    data[6] |= 1
    data[data.find(b"PK\x01\x02") + 8] |= 1
    with pytest.raises(EncryptedDocumentError):
        archive(bytes(data)).read("a")


def test_a_truncated_archive_is_malformed() -> None:
    data = zip_of({"a": bytes(range(256)) * 20})
    with pytest.raises(MalformedDocumentError):
        archive(data[: len(data) // 2])


def test_a_damaged_member_is_malformed() -> None:
    data = bytearray(zip_of({"a": "some text that is long enough to be damaged"}))
    data[40] ^= 0xFF
    with pytest.raises(MalformedDocumentError):
        archive(bytes(data)).read("a")


@pytest.mark.parametrize("wanted", ["OPS/Kapitel Ä.xhtml", "ops/kapitel ä.XHTML", "OPS/Kapitel%20%C3%84.xhtml"])
def test_members_are_found_by_sloppy_names(wanted: str) -> None:
    assert archive(zip_of({"OPS/Kapitel A\u0308.xhtml": "x"})).read(wanted) == b"x"


def test_members_without_a_name_are_left_out() -> None:
    data = zip_of({"a": b"1", "b": b"2"}).replace(b"a", b"\0")
    assert archive(data).names == ("b",)


def test_folders_made_with_backslashes_are_folders() -> None:
    assert archive(zip_of({"OPS\\a.xhtml": "x"})).find("OPS/a.xhtml") == "OPS/a.xhtml"


@pytest.mark.parametrize(
    ("reference", "member"),
    [
        ("b.xhtml#x", "OPS/text/b.xhtml"),
        ("../b%20c.xhtml", "OPS/b c.xhtml"),
        ("#x", "OPS/text/a.xhtml"),
        ("../../../../b.xhtml", "b.xhtml"),
        ("https://example.org/b.xhtml", None),
        ("//example.org/b", None),
    ],
)
def test_references_lead_to_members(reference: str, member: str | None) -> None:
    assert member_path("OPS/text/a.xhtml", reference) == member
