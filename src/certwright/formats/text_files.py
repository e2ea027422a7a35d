"""Text in files that people give: which encoding it is in, and what is wrong with it, by file, line and what was expected.

Read are UTF-8, and what says by its first octets that it is UTF-8, UTF-16 or UTF-32. Code pages of one octet a character are
not guessed: a name would come out as another one. No octet of a file is in a message: it may be a password.

Source: The Unicode Standard 16.0, section 23.8, for the byte order mark.
"""

import codecs

from certwright.domain.errors import MalformedValue

_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
"""The longer ones before those that they begin with."""


def parse_text(content: bytes, name: str, wanted: str) -> str:
    """Return the text in *content*, without its byte order mark.

    Shape: *name* is what a fault calls the file, *wanted* what it is to be, such as "a password".
    Errors: MalformedValue, which names file and line.
    """
    mark, encoding = next((each for each in _MARKS if content.startswith(each[0])), (b"", "utf-8"))
    try:
        text = content[len(mark) :].decode(encoding)
    except UnicodeDecodeError as error:
        line = content[: len(mark) + error.start].count(b"\n") + 1
        raise describe_fault(name, line, wanted, _explain(content, encoding)) from error
    if "\0" in text:
        line = text[: text.index("\0")].count("\n") + 1
        raise describe_fault(name, line, wanted, "it has NUL characters: text in UTF-16 without a mark, or no text at all")
    return text


def describe_fault(name: str, line: int, wanted: str, detail: str) -> MalformedValue:
    """Return the refusal of a file that was to be *wanted*, for what is wrong in *line*."""
    return MalformedValue(f"{name}, line {line}", f"{detail}; {wanted} is expected here, as text in UTF-8")


def parse_line(content: bytes, name: str, wanted: str) -> str:
    """Return the one line in *content*, without its end. Errors: MalformedValue, for none and for several lines, too."""
    lines = parse_text(content, name, wanted).rstrip("\r\n").splitlines()
    if len(lines) > 1:
        raise describe_fault(name, 2, wanted, "there is more than one line")
    if not lines or not lines[0]:
        raise describe_fault(name, 1, wanted, "the file is empty" if not lines else "the line is empty")
    return lines[0]


def _explain(content: bytes, encoding: str) -> str:
    if encoding != "utf-8":
        return f"it says that it is {encoding.upper()}, and is damaged"
    if b"\0" in content:
        return "it is no text in UTF-8, and has NUL octets: text in UTF-16 without a mark, or no text at all"
    return (
        "it is no text in UTF-8, perhaps in Latin-1 or Windows-1252: save it as UTF-8, or convert it with "
        "iconv -f WINDOWS-1252 -t UTF-8"
    )
