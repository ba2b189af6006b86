"""Small PDFs for tests: text at places, bookmarks, form fields, passwords."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

_PAD = bytes.fromhex("28bf4e5e4e758a4164004e56fffa01082e2e00b6d0683e802f0ca9fe6453697a")
_FILE_ID = b"0123456789abcdef"
_FONTS = {"F1": "Times-Roman", "F2": "Courier"}


@dataclass(frozen=True)
class At:
    """A line of text at a place of a page, in points from its lower left corner."""

    text: str
    x: float = 72
    y: float = 700
    size: float = 10
    font: str = "F1"


@dataclass(frozen=True)
class Mark:
    """A bookmark: its title, its depth, the page (from 1) and the height it points to."""

    title: str
    page: int
    top: float
    depth: int = 0


def paragraph(lines: Sequence[str], *, y: float, x: float = 72, size: float = 10) -> list[At]:
    """Lines under each other at the usual distance."""
    return [At(text, x, y - 1.2 * size * index, size) for index, text in enumerate(lines)]


def pdf(
    pages: Sequence[Sequence[At]],
    bookmarks: Sequence[Mark] = (),
    *,
    field: tuple[str, str] | None = None,
    user_password: str | None = None,
) -> bytes:
    """A PDF with these pages (A4); a password, even an empty one, encrypts it."""
    return _Writer(pages, bookmarks, field, user_password).file()


class _Writer:
    def __init__(
        self,
        pages: Sequence[Sequence[At]],
        bookmarks: Sequence[Mark],
        field: tuple[str, str] | None,
        user_password: str | None,
    ) -> None:
        self._objects: list[bytes] = []
        self._password = user_password
        self._owner_entry, self._key = b"", b""
        if user_password is not None:
            self._make_key(user_password)
        self._build(pages, bookmarks, field)

    def file(self) -> bytes:
        """The bytes, with a table of all objects."""
        data, offsets = b"%PDF-1.4\n", []
        for number, body in enumerate(self._objects, start=1):
            offsets.append(len(data))
            data += b"%d 0 obj\n%s\nendobj\n" % (number, body)
        table = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
        start = len(data)
        trailer = b"/Size %d /Root 1 0 R /ID [<%s><%s>]" % (
            len(offsets) + 1,
            _FILE_ID.hex().encode(),
            _FILE_ID.hex().encode(),
        )
        if self._password is not None:
            trailer += b" /Encrypt << /Filter /Standard /V 1 /R 2 /P -4 /O <%s> /U <%s> >>" % (
                self._owner_entry.hex().encode(),
                _rc4(self._key, _PAD).hex().encode(),
            )
        return data + b"xref\n0 %d\n0000000000 65535 f \n%strailer\n<< %s >>\nstartxref\n%d\n%%%%EOF" % (
            len(offsets) + 1,
            table,
            trailer,
            start,
        )

    def _build(self, pages: Sequence[Sequence[At]], bookmarks: Sequence[Mark], field: tuple[str, str] | None) -> None:
        fonts = len(_FONTS)
        first_page = 3 + fonts
        page_numbers = [first_page + 2 * index for index in range(len(pages))]
        first_mark = first_page + 2 * len(pages) + 1
        widget = first_mark - 1
        form = b" /AcroForm << /Fields [%d 0 R] >>" % widget if field else b""
        outline = b" /Outlines %d 0 R" % first_mark if bookmarks else b""
        self._add(b"<< /Type /Catalog /Pages 2 0 R%s%s >>" % (form, outline))
        kids = b" ".join(b"%d 0 R" % number for number in page_numbers)
        self._add(b"<< /Type /Pages /Count %d /Kids [%s] >>" % (len(pages), kids))
        for font in _FONTS.values():
            self._add(b"<< /Type /Font /Subtype /Type1 /BaseFont /%s /Encoding /WinAnsiEncoding >>" % font.encode())
        named = b" ".join(b"/%s %d 0 R" % (name.encode(), 3 + index) for index, name in enumerate(_FONTS))
        for index, page in enumerate(pages):
            annotations = b" /Annots [%d 0 R]" % widget if field and index == 0 else b""
            self._add(
                b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents %d 0 R%s "
                b"/Resources << /Font << %s >> >> >>" % (page_numbers[index] + 1, annotations, named)
            )
            content = self._encrypted(_content(page), page_numbers[index] + 1)
            self._add(b"<< /Length %d >>\nstream\n%s\nendstream" % (len(content), content))
        self._add(_widget(field) if field else b"null")
        self._add_bookmarks(bookmarks, page_numbers, first_mark)

    def _add(self, body: bytes) -> None:
        self._objects.append(body)

    def _add_bookmarks(self, bookmarks: Sequence[Mark], pages: Sequence[int], first: int) -> None:
        if not bookmarks:
            return
        parents = _parents(bookmarks)
        top = [index for index, parent in enumerate(parents) if parent is None]
        self._add(b"<< /First %d 0 R /Last %d 0 R >>" % (first + 1 + top[0], first + 1 + top[-1]))
        for index, mark in enumerate(bookmarks):
            parent = parents[index]
            siblings = [other for other, owner in enumerate(parents) if owner == parent]
            following = [other for other in siblings if other > index]
            children = [other for other, owner in enumerate(parents) if owner == index]
            links = b"/Parent %d 0 R" % (first if parent is None else first + 1 + parent)
            if following:
                links += b" /Next %d 0 R" % (first + 1 + following[0])
            if children:
                links += b" /First %d 0 R /Last %d 0 R" % (first + 1 + children[0], first + 1 + children[-1])
            target = b"[%d 0 R /XYZ 72 %d 0]" % (pages[mark.page - 1], mark.top)
            self._add(b"<< /Title (%s) %s /Dest %s >>" % (mark.title.encode("latin-1"), links, target))

    def _make_key(self, user_password: str) -> None:
        owner_key = hashlib.md5((b"owner" + _PAD)[:32]).digest()[:5]
        padded = (user_password.encode() + _PAD)[:32]
        self._owner_entry = _rc4(owner_key, padded)
        permissions = (-4 & 0xFFFFFFFF).to_bytes(4, "little")
        self._key = hashlib.md5(padded + self._owner_entry + permissions + _FILE_ID).digest()[:5]

    def _encrypted(self, data: bytes, number: int) -> bytes:
        if self._password is None:
            return data
        return _rc4(hashlib.md5(self._key + number.to_bytes(3, "little") + b"\0\0").digest()[:10], data)


def _content(page: Sequence[At]) -> bytes:
    lines = [
        b"BT /%s %g Tf 1 0 0 1 %g %g Tm (%s) Tj ET"
        % (at.font.encode(), at.size, at.x, at.y, at.text.encode("cp1252").replace(b"(", b"\\(").replace(b")", b"\\)"))
        for at in page
    ]
    return b"\n".join(lines)


def _widget(field: tuple[str, str]) -> bytes:
    name, value = (part.encode("latin-1") for part in field)
    return b"<< /Type /Annot /Subtype /Widget /FT /Tx /T (%s) /V (%s) /Rect [72 600 200 620] >>" % (name, value)


def _parents(bookmarks: Sequence[Mark]) -> list[int | None]:
    parents: list[int | None] = []
    stack: list[int] = []
    for index, mark in enumerate(bookmarks):
        del stack[mark.depth :]
        parents.append(stack[-1] if stack else None)
        stack.append(index)
    return parents


def _rc4(key: bytes, data: bytes) -> bytes:
    state = list(range(256))
    j = 0
    for i in range(256):
        j = (j + state[i] + key[i % len(key)]) % 256
        state[i], state[j] = state[j], state[i]
    out = bytearray()
    i = j = 0
    for byte in data:
        i = (i + 1) % 256
        j = (j + state[i]) % 256
        state[i], state[j] = state[j], state[i]
        out.append(byte ^ state[(state[i] + state[j]) % 256])
    return bytes(out)
