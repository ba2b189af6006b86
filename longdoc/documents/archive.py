"""Safe reading of zip archives, the wrapping of EPUB, DOCX and ODT.

Owns what is refused (bombs, escapes, links, encryption, broken archives) and how a member is found by a
sloppy name; what members mean is for the readers. Nothing is ever written to disk.
"""

from __future__ import annotations

import io
import posixpath
import stat
import unicodedata
import zipfile
import zlib
from urllib.parse import unquote, urlsplit

from longdoc.documents.limits import Limits
from longdoc.errors import DocumentTooLargeError, EncryptedDocumentError, MalformedDocumentError

_PIECE = 1 << 18
_RATIO_FROM = 1 << 20
_DIRECTORY_RECORD = b"PK\x01\x02"
_ENCRYPTED_FLAG = 0x1
_UTF8_FLAG = 0x800
_UNIX = 3


class Archive:
    """Members of a zip by name. Raises kinds of `DocumentError` where the archive is broken or hostile."""

    def __init__(self, data: bytes, *, source: str, limits: Limits) -> None:
        self._source = source
        self._limits = limits
        self._read_bytes = 0
        if data.count(_DIRECTORY_RECORD) > limits.members:
            raise DocumentTooLargeError(f"has more than {limits.members} members", source=source)
        try:
            self._zip = zipfile.ZipFile(io.BytesIO(data))
        except (zipfile.BadZipFile, ValueError, NotImplementedError, UnicodeDecodeError) as error:
            raise MalformedDocumentError("is a broken or truncated archive; get a fresh copy", source=source) from error
        named = [info for info in self._zip.infolist() if info.filename]
        self._members = {_stored_name(info): info for info in named if not info.is_dir()}
        for name, info in self._members.items():
            self._refuse_unsafe(name, info)
        self._keys = self._lookup_keys()

    @property
    def names(self) -> tuple[str, ...]:
        """Names of all members in stored order, with "/" between folders; folders themselves left out."""
        return tuple(self._members)

    def find(self, name: str) -> str | None:
        """The stored name that this one means: as it is, else percent-decoded, whatever its case."""
        if name in self._members:
            return name
        return self._keys.get(_key(name)) or self._keys.get(_key(unquote(name)))

    def read(self, name: str) -> bytes:
        """The bytes of a member, found as `find` does; `MalformedDocumentError` where it is missing."""
        stored = self.find(name)
        if stored is None:
            raise MalformedDocumentError(f"has no member {name!r}", source=self._source)
        info = self._members[stored]
        if info.flag_bits & _ENCRYPTED_FLAG:
            raise EncryptedDocumentError("is encrypted; remove the password first", source=self._source)
        if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise MalformedDocumentError(f"packs {stored!r} with an unknown method", source=self._source)
        try:
            return self._read_counted(stored, info)
        except (zipfile.BadZipFile, zlib.error, EOFError, ValueError, NotImplementedError) as error:
            raise MalformedDocumentError(
                f"has a broken member {stored!r}; get a fresh copy", source=self._source
            ) from error

    def _read_counted(self, name: str, info: zipfile.ZipInfo) -> bytes:
        """Read in pieces and count what really comes out, whatever the headers claim."""
        pieces: list[bytes] = []
        size = 0
        limits = self._limits
        by_ratio = max(_RATIO_FROM, info.compress_size * limits.compression_ratio)
        largest = min(limits.member_bytes, limits.total_bytes - self._read_bytes, by_ratio)
        with self._zip.open(info) as stream:
            while piece := stream.read(_PIECE):
                size += len(piece)
                if size > largest:
                    raise DocumentTooLargeError(
                        f"unpacks {name!r} to more than {largest} bytes, as bombs do", source=self._source
                    )
                pieces.append(piece)
        self._read_bytes += size
        return b"".join(pieces)

    def _refuse_unsafe(self, name: str, info: zipfile.ZipInfo) -> None:
        if name.startswith("/") or name[1:2] == ":" or ".." in name.split("/"):
            raise MalformedDocumentError(f"has a member outside itself ({name!r})", source=self._source)
        if info.create_system == _UNIX and stat.S_ISLNK(info.external_attr >> 16):
            raise MalformedDocumentError(f"has a link among its members ({name!r})", source=self._source)

    def _lookup_keys(self) -> dict[str, str]:
        keys: dict[str, str] = {}
        for name in self._members:
            keys.setdefault(_key(name), name)
            keys.setdefault(_key(unquote(name)), name)
        return keys


def member_path(base: str, reference: str) -> str | None:
    """The member that a reference in member `base` points to, without its fragment.

    None for addresses outside the archive. A reference that is only a fragment points to `base`; ".." stops
    at the root.
    """
    try:
        parts = urlsplit(reference.strip())
    except ValueError:
        return None
    if parts.scheme or parts.netloc:
        return None
    path = unquote(parts.path).replace("\\", "/")
    if not path:
        return base
    joined = posixpath.normpath(posixpath.join("/", posixpath.dirname(base), path))
    return joined.lstrip("/")


def fragment_of(reference: str) -> str:
    """The fragment of a reference, percent-decoded; empty where it has none."""
    return unquote(reference.partition("#")[2].strip())


def _key(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold()


def _stored_name(info: zipfile.ZipInfo) -> str:
    """The name with "/" between folders; UTF-8 that was not marked as such is recognised."""
    name = info.filename
    if not info.flag_bits & _UTF8_FLAG and not name.isascii():
        try:
            name = name.encode("cp437").decode("utf-8")
        except UnicodeError:
            name = info.filename
    return name.replace("\\", "/").removeprefix("./")
