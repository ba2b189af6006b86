"""Small DOCX and ODT files for tests."""

import io
import zipfile
from collections.abc import Mapping

_W = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
_R = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_NAMESPACES = (
    f'xmlns:w="{_W}" xmlns:r="{_R}" xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006" '
    'xmlns:m="http://schemas.openxmlformats.org/officeDocument/2006/math" xmlns:v="urn:schemas-microsoft-com:vml" '
    'xmlns:wps="http://schemas.microsoft.com/office/word/2010/wordprocessingShape"'
)
_PACKAGE = "http://schemas.openxmlformats.org/package/2006/relationships"
_ODF = "urn:oasis:names:tc:opendocument:xmlns:"
_ODF_NAMESPACES = (
    " ".join(
        f'xmlns:{name}="{_ODF}{name if name != "fo" else "xsl-fo-compatible"}:1.0"'
        for name in ("office", "text", "table", "draw", "style", "meta")
    )
    + ' xmlns:xlink="http://www.w3.org/1999/xlink" xmlns:dc="http://purl.org/dc/elements/1.1/"'
)


def zip_of(members: Mapping[str, str | bytes]) -> bytes:
    """A zip with these members."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def paragraph(text: str, *, style: str = "", properties: str = "") -> str:
    """A paragraph with one run."""
    named = f'<w:pStyle w:val="{style}"/>' if style else ""
    return f'<w:p><w:pPr>{named}{properties}</w:pPr><w:r><w:t xml:space="preserve">{text}</w:t></w:r></w:p>'


def docx(body: str, *, main: str = "word/document.xml", **parts: str) -> bytes:
    """A DOCX with this body; `parts` are the contents of the roots of styles, numbering, footnotes …"""
    folder, _, name = main.rpartition("/")
    relations = "".join(f'<Relationship Id="r{kind}" Type="x/{kind}" Target="{kind}.xml"/>' for kind in parts)
    members = {
        "_rels/.rels": f'<Relationships xmlns="{_PACKAGE}">'
        f'<Relationship Id="r1" Type="x/officeDocument" Target="{main}"/></Relationships>',
        main: f"<w:document {_NAMESPACES}><w:body>{body}</w:body></w:document>",
        f"{folder}/_rels/{name}.rels": f'<Relationships xmlns="{_PACKAGE}">{relations}</Relationships>',
    }
    for kind, content in parts.items():
        members[f"{folder}/{kind}.xml"] = f"<w:{kind} {_NAMESPACES}>{content}</w:{kind}>"
    return zip_of(members)


def odt(text: str, *, styles: str = "", **members: str) -> bytes:
    """An ODT with this text; `styles` are automatic styles, `members` further parts ("meta" is meta.xml)."""
    content = (
        f"<office:document-content {_ODF_NAMESPACES}><office:automatic-styles>{styles}</office:automatic-styles>"
        f"<office:body><office:text>{text}</office:text></office:body></office:document-content>"
    )
    parts = {"mimetype": "application/vnd.oasis.opendocument.text", "content.xml": content}
    if "meta" in members:
        parts["meta.xml"] = f"<office:document-meta {_ODF_NAMESPACES}>{members['meta']}</office:document-meta>"
    if "manifest" in members:
        parts["META-INF/manifest.xml"] = members["manifest"]
    return zip_of(parts)
