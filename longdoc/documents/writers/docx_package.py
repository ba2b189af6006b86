"""The parts of a DOCX around its text: relationships, properties, lists, footnotes, settings.

Owns the package; styles are in `docx_styles.xml`.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from importlib.resources import files

from longdoc.documents.writers.languages import Direction, primary
from longdoc.documents.writers.typesetting import TypesetManuscript
from longdoc.documents.writers.zip_file import zip_bytes

_SCHEMAS = "http://schemas.openxmlformats.org"
_MAIN = f"{_SCHEMAS}/wordprocessingml/2006/main"
_RELATIONS = f"{_SCHEMAS}/officeDocument/2006/relationships"
_PACKAGE = f"{_SCHEMAS}/package/2006"
_OFFICE = "application/vnd.openxmlformats-officedocument.wordprocessingml"
_LANGUAGE = 'w:val="en-US"'
_DECLARATION = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
NAMESPACES = f'xmlns:w="{_MAIN}" xmlns:r="{_RELATIONS}"'
_PARTS = ("styles", "numbering", "footnotes", "settings", "footer")
_LEVELS = range(9)
_BULLETS = "•–▪"
_STEP = 360
_EAST_ASIAN = {"ja": "ja-JP", "ko": "ko-KR", "zh": "zh-CN"}
_PARTING = "".join(
    f'<w:footnote w:type="{kind}" w:id="{number}"><w:p><w:r><w:{kind}/></w:r></w:p></w:footnote>'
    for number, kind in ((-1, "separator"), (0, "continuationSeparator"))
)


def docx_bytes(
    work: TypesetManuscript, *, document: str, notes: str, starts: Sequence[tuple[int, int]], addresses: Sequence[str]
) -> bytes:
    """The file. `notes` are footnotes from number 1, `starts` level and first number of numbered lists."""
    styles = files("longdoc.documents.writers").joinpath("docx_styles.xml").read_text(encoding="utf-8")
    parts = {
        "[Content_Types].xml": _content_types(),
        "_rels/.rels": _package_relations(),
        "docProps/core.xml": _properties(work),
        "word/document.xml": document,
        "word/_rels/document.xml.rels": _document_relations(addresses),
        "word/styles.xml": styles.replace(_LANGUAGE, _language(work)),
        "word/numbering.xml": _numbering(starts),
        "word/footnotes.xml": f"<w:footnotes {NAMESPACES}>{_PARTING}{notes}</w:footnotes>",
        "word/settings.xml": _settings(),
        "word/footer.xml": _footer(),
    }
    return zip_bytes({name: _declared(content) for name, content in parts.items()})


def _declared(content: str) -> str:
    return content if content.startswith("<?xml") else _DECLARATION + content


def _content_types() -> str:
    parts = [("word/document.xml", f"{_OFFICE}.document.main+xml")]
    parts += [(f"word/{part}.xml", f"{_OFFICE}.{part}+xml") for part in _PARTS]
    parts.append(("docProps/core.xml", "application/vnd.openxmlformats-package.core-properties+xml"))
    overrides = "".join(f'<Override PartName="/{name}" ContentType="{kind}"/>' for name, kind in parts)
    return (
        f'<Types xmlns="{_PACKAGE}/content-types">'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f'<Default Extension="xml" ContentType="application/xml"/>{overrides}</Types>'
    )


def _package_relations() -> str:
    return (
        f'<Relationships xmlns="{_PACKAGE}/relationships">'
        f'<Relationship Id="document" Type="{_RELATIONS}/officeDocument" Target="word/document.xml"/>'
        f'<Relationship Id="core" Type="{_PACKAGE}/relationships/metadata/core-properties" Target="docProps/core.xml"/>'
        "</Relationships>"
    )


def _document_relations(addresses: Sequence[str]) -> str:
    parts = "".join(f'<Relationship Id="{part}" Type="{_RELATIONS}/{part}" Target="{part}.xml"/>' for part in _PARTS)
    kind = f'Type="{_RELATIONS}/hyperlink" TargetMode="External"'
    links = "".join(
        f'<Relationship Id="link{number}" {kind} Target="{escape(address)}"/>'
        for number, address in enumerate(addresses, 1)
    )
    return f'<Relationships xmlns="{_PACKAGE}/relationships">{parts}{links}</Relationships>'


def _properties(work: TypesetManuscript) -> str:
    fields = [("dc:title", work.title), ("dc:creator", work.author), ("dc:identifier", work.identifier)]
    fields.append(("dc:language", work.language))
    values = "".join(f"<{name}>{escape(value, quote=False)}</{name}>" for name, value in fields if value)
    if work.date:
        moment = f"{work.date.isoformat()}T00:00:00Z"
        values += f'<dcterms:created xsi:type="dcterms:W3CDTF">{moment}</dcterms:created>'
    return (
        f'<cp:coreProperties xmlns:cp="{_PACKAGE}/metadata/core-properties" '
        'xmlns:dc="http://purl.org/dc/elements/1.1/" '
        'xmlns:dcterms="http://purl.org/dc/terms/" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">'
        f"{values}</cp:coreProperties>"
    )


def _language(work: TypesetManuscript) -> str:
    """The attribute for the language; Word keeps three, by script."""
    language = work.language
    if work.direction is Direction.RTL:
        return f'w:bidi="{language}"'
    if primary(language) in _EAST_ASIAN:
        return f'w:eastAsia="{language if "-" in language else _EAST_ASIAN[primary(language)]}"'
    return f'w:val="{language}"'


def _numbering(starts: Sequence[tuple[int, int]]) -> str:
    """One list of bullets, and for every numbered list one that begins anew."""
    bullets = "".join(_level(level, "bullet", _BULLETS[level % len(_BULLETS)]) for level in _LEVELS)
    numbers = "".join(_level(level, "decimal", f"%{level + 1}.") for level in _LEVELS)
    kinds = "".join(
        f'<w:abstractNum w:abstractNumId="{number}"><w:multiLevelType w:val="multilevel"/>{levels}</w:abstractNum>'
        for number, levels in enumerate((bullets, numbers))
    )
    lists = "".join(
        f'<w:num w:numId="{number}"><w:abstractNumId w:val="1"/>'
        f'<w:lvlOverride w:ilvl="{level}"><w:startOverride w:val="{start}"/></w:lvlOverride></w:num>'
        for number, (level, start) in enumerate(starts, 2)
    )
    return (
        f'<w:numbering {NAMESPACES}>{kinds}<w:num w:numId="1"><w:abstractNumId w:val="0"/></w:num>{lists}</w:numbering>'
    )


def _level(level: int, number_format: str, text: str) -> str:
    left = _STEP * (level + 1)
    return (
        f'<w:lvl w:ilvl="{level}"><w:start w:val="1"/><w:numFmt w:val="{number_format}"/><w:lvlText w:val="{text}"/>'
        f'<w:lvlJc w:val="left"/><w:pPr><w:ind w:left="{left}" w:hanging="{_STEP}"/></w:pPr></w:lvl>'
    )


def _settings() -> str:
    return (
        f'<w:settings {NAMESPACES}><w:zoom w:percent="100"/><w:defaultTabStop w:val="709"/>'
        '<w:footnotePr><w:footnote w:id="-1"/><w:footnote w:id="0"/></w:footnotePr>'
        '<w:compat><w:compatSetting w:name="compatibilityMode" w:uri="http://schemas.microsoft.com/office/word" '
        'w:val="15"/></w:compat></w:settings>'
    )


def _footer() -> str:
    return (
        f'<w:ftr {NAMESPACES}><w:p><w:pPr><w:pStyle w:val="Footer"/></w:pPr>'
        '<w:fldSimple w:instr=" PAGE "><w:r><w:t>1</w:t></w:r></w:fldSimple></w:p></w:ftr>'
    )
