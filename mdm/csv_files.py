"""CSV: encoding, delimiter, header, and records with the line on which each starts.

The dialect is explicit, never sniffed: what the policy declares, else a comma. Only a header line that is one column with a comma
and several with exactly one of `;`, `|` and tab changes that, and whoever opens the file says so. Python's csv module is used
because it can go on at the very next line after a broken record: a stray quote costs one line, not the whole file.
"""

import codecs
import csv
import io
from collections import Counter, deque
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from kernel.errors import Invalid
from mdm import payloads
from mdm.mapping_values import Problem
from mdm.policy_schema import FileFormat

# An open quote is given up after this much: no value may be longer than 1,000 characters anyway.
LONGEST_RECORD_LINES = 100
BLOCK_BYTES = 1024 * 1024
LONGEST_LINE = payloads.LARGEST_PAYLOAD_BYTES + 1  # Characters; what a line has beyond is passed over.
MOST_NAMED = 5  # A header line may hold a quarter of a million names.
USUAL = ","
OTHERS = (";", "|", "\t")
DELIMITER_NAMES = {",": "comma", ";": "semicolon", "|": "bar", "\t": "tab"}
# Encodings whose texts begin with a mark: a line encoded by itself has another length than it has in the file.
MARKED = frozenset({"utf-16", "utf-32"})
TOO_LONG = "larger than field limit"  # Of 131,072 characters; the csv module says it in words only.
UNREADABLE = {
    "broken_quoting": "a quote is not closed",
    "value_too_long": "a name is longer than 131,072 characters",
    "payload_too_large": "it is longer than a record may be, 2 MB",
}
_SAY = "; is it another encoding, such as cp1251, shift_jis or gb18030? Say file: {encoding: …}"


@dataclass(frozen=True, slots=True)
class Header:
    """How a CSV file is read, and its columns. `found` names what was found out by reading, and is to be said."""

    format: FileFormat
    encoding: str
    found: frozenset[str]
    columns: tuple[str, ...]


def read_header(path: Path, declared: FileFormat) -> Header:
    """Choose encoding and delimiter, and read the header line.

    Raises: Invalid with one of the codes empty_file, bad_header, wrong_delimiter.
    """
    encoding = _plain(declared.encoding) if declared.encoding else detect_encoding(path)
    delimiter = declared.delimiter or ("\t" if path.suffix.casefold() == ".tsv" else USUAL)
    cells, problem = _header_cells(path, declared, encoding, delimiter)
    others = [] if len(cells) > 1 else _splitting(path, declared, encoding, delimiter)
    found = {"encoding"} if declared.encoding is None else set()
    if len(others) == 1 and declared.delimiter is None:
        delimiter = others[0]
        cells, problem = _header_cells(path, declared, encoding, delimiter)
        found.add("delimiter")
    elif others:
        raise _wrong_delimiter(path, delimiter, others)
    names = tuple(cell.strip() or f"column_{place}" for place, cell in enumerate(cells, 1))
    twice = sorted(name for name, times in Counter(names).items() if times > 1)
    if problem is not None or any("\x00" in name for name in names):
        no_text = f"it is no text in {encoding}{'' if declared.encoding else _SAY}"
        why = UNREADABLE.get(problem.code, no_text) if problem else no_text
        raise Invalid(f"{path.name}: the header line cannot be read: {why}", code="bad_header")
    if twice:
        named = f"{', '.join(twice[:MOST_NAMED])}{f' and {len(twice) - MOST_NAMED:,} more' if len(twice) > MOST_NAMED else ''}"
        raise Invalid(f"{path.name}: the header line names a column twice: {named}", code="bad_header")
    return Header(declared.model_copy(update={"delimiter": delimiter}), encoding, frozenset(found), names)


def _plain(encoding: str) -> str:
    """Give an encoding its own name, whatever it is called; UTF-8 with the mark that spreadsheets put before it, or without."""
    name = codecs.lookup(encoding).name
    return "utf-8-sig" if name == "utf-8" else name


def _header_cells(path: Path, declared: FileFormat, encoding: str, delimiter: str) -> tuple[list[str], Problem | None]:
    chosen = declared.model_copy(update={"delimiter": delimiter})
    header = next(CsvRecords(path, chosen, encoding).records(), None)
    if header is None or not header[2].strip():
        raise Invalid(f"{path.name} has no header line", code="empty_file")
    return header[1], header[3]


def _splitting(path: Path, declared: FileFormat, encoding: str, delimiter: str) -> list[str]:
    """The other delimiters that make several columns of the header line."""
    others = [one for one in (USUAL, *OTHERS) if one not in {delimiter, declared.quote}]
    return [one for one in others if len(_header_cells(path, declared, encoding, one)[0]) > 1]


def _wrong_delimiter(path: Path, delimiter: str, others: list[str]) -> Invalid:
    named = [DELIMITER_NAMES.get(one, repr(one)) for one in (delimiter, *others)]
    sample = "\\t" if others[0] == "\t" else others[0]
    return Invalid(
        f"{path.name}: the header line is one column with the delimiter {named[0]}, and several with {' or '.join(named[1:])}:"
        f' say which in the source\'s policy, such as file: {{delimiter: "{sample}"}}',
        code="wrong_delimiter",
    )


def detect_encoding(path: Path) -> str:
    """UTF-16 by its mark; UTF-8 when most of what is not ASCII is valid UTF-8 (broken rows are then rejected); else CP1252."""
    with path.open("rb") as file:
        start = file.read(4)
        if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            return "utf-16"
        decoder, valid, broken = codecs.getincrementaldecoder("utf-8")("replace"), 0, 0
        block = start
        while block:
            text = decoder.decode(block)
            broken += text.count("\ufffd")
            valid += len(text) - len(text.encode("ascii", "ignore"))
            block = file.read(BLOCK_BYTES)
        broken += decoder.decode(b"", final=True).count("\ufffd")
    if start.startswith(codecs.BOM_UTF8) or valid - broken >= broken:
        return "utf-8-sig"
    return "cp1252"


CsvRecord = tuple[int, list[str], bytes, Problem | None]


class CsvRecords:
    """The records of a CSV file with the line on which each starts; goes on at the next line after a broken one."""

    def __init__(self, path: Path, chosen: FileFormat, encoding: str, line_no: int = 0, at: int = 0) -> None:
        """Open a file: at its beginning, or at a byte with which a record begins, after so many lines."""
        self._encoding = "utf-8" if encoding == "utf-8-sig" else encoding
        opened = path.open("rb")
        if encoding == "utf-8-sig" and not at and opened.read(len(codecs.BOM_UTF8)) == codecs.BOM_UTF8:
            at = len(codecs.BOM_UTF8)
        opened.seek(at)
        self._file = io.TextIOWrapper(opened, encoding=self._encoding, errors="surrogateescape", newline="")
        self._format = chosen
        self._pushed: deque[str] = deque()
        self._line_no, self._at = line_no, at
        self._taken: list[str] = []
        self._made = self._read()

    def records(self) -> Iterator[CsvRecord]:
        """Every record, once; a second call goes on where the first stopped."""
        return self._made

    @property
    def place(self) -> tuple[int, int] | None:
        """After how many lines and bytes the next record begins; None where bytes cannot be counted by records."""
        return None if self._encoding in MARKED else (self._line_no, self._at)

    def give_back(self, raw: bytes) -> bytes:
        """Read all but the first line of the last record again; the first line's bytes."""
        self._push(self._taken[1:])
        first = self._taken[0].encode(self._encoding, "surrogateescape") if self._taken else raw
        self._at -= len(raw) - len(first)
        return first

    def _push(self, lines: list[str]) -> None:
        self._pushed.extendleft(reversed(lines))
        self._line_no -= len(lines)

    def _physical(self) -> Iterator[str]:
        """Lines for the parser; ends early when a record takes too many."""
        while len(self._taken) < LONGEST_RECORD_LINES:
            line = self._pushed.popleft() if self._pushed else self._file.readline(LONGEST_LINE)
            if not line:
                return
            self._line_no += 1
            self._taken.append(line)
            yield line

    def _read(self) -> Iterator[CsvRecord]:
        try:
            while True:
                self._taken = []
                start = self._line_no + 1
                cells, problem = self._parse()
                if not self._taken:
                    return
                if any(_is_cut(line) for line in self._taken):
                    problem = Problem("payload_too_large", "")
                if problem is not None:
                    self._push(self._taken[1:])
                    self._taken = self._taken[:1]
                text = "".join(self._taken)
                if not text.isascii() and any("\udc80" <= character <= "\udcff" for character in text):
                    problem = Problem("invalid_encoding", "")
                raw = text.encode(self._encoding, "surrogateescape")
                self._at += len(raw) + self._pass_over()
                yield start, cells, raw, problem
        finally:
            self._file.close()

    def _pass_over(self) -> int:
        """Pass over what the last line that was taken has beyond the longest; how many bytes that is."""
        piece, passed = self._taken[-1], 0
        while _is_cut(piece):
            piece = self._pushed.popleft() if self._pushed else self._file.readline(LONGEST_LINE)
            passed += len(piece.encode(self._encoding, "surrogateescape"))
        return passed

    def _parse(self) -> tuple[list[str], Problem | None]:
        reader = csv.reader(
            self._physical(),
            delimiter=self._format.delimiter or USUAL,
            quotechar=self._format.quote,
            strict=True,
            doublequote=True,
        )
        try:
            return next(reader, []), None
        except csv.Error as error:
            is_one_value = len(self._taken) == 1 and TOO_LONG in str(error)  # Else a quote has swallowed the lines after it.
            return [], Problem("value_too_long" if is_one_value else "broken_quoting", "")


def _is_cut(line: str) -> bool:
    return len(line) == LONGEST_LINE and not line.endswith(("\n", "\r"))
