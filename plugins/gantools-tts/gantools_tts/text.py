"""Text of any length as sentences to speak: cleaned, short, and mended where gruut misreads."""

from __future__ import annotations

import functools
import re
import unicodedata
import warnings
from collections.abc import Callable, Iterable, Iterator

from gantools import Note, UserError

LONGEST = 200
"""Characters of a piece before numbers are put into words."""
AHEAD = 24
"""Characters after a full stop that say whether a sentence ends there."""
SLICE = 4096
"""Characters of a text that are looked at together."""

# fmt: off
REPLACED = {
    **dict.fromkeys("‘’‚‛‹›ʻʼ′´", "'"),
    **dict.fromkeys("“”„‟«»″", '"'),
    **dict.fromkeys("‐‑‒−", "-"),
    **{char: char for char in "–£€¥°"},
    "—": " - ", "―": " - ", "\u2028": "\n", "\u2029": "\n\n", "•": "-", "·": " ", "`": "",
    "Æ": "AE", "æ": "ae", "Œ": "OE", "œ": "oe", "Ø": "O", "ø": "o", "Ł": "L", "ł": "l", "Đ": "D",
    "đ": "d", "Ð": "D", "ð": "th", "Þ": "Th", "þ": "th", "ß": "ss", "ı": "i", "™": "", "®": "",
    "©": "", "¢": " cents", "µ": "micro", "§": "section ", "×": " times ", "÷": " divided by ",
    "±": " plus or minus ", "²": " squared", "³": " cubed",
}
"""Characters that Unicode's own folding leaves, or folds into what is not meant."""
ABBREVIATIONS = {
    "prof": "professor", "gen": "general", "sgt": "sergeant", "capt": "captain", "rev": "reverend",
    "lt": "lieutenant", "col": "colonel", "sen": "senator", "gov": "governor", "ave": "avenue",
    "blvd": "boulevard", "rd": "road", "dept": "department", "approx": "approximately",
    "e.g": "for example", "i.e": "that is", "viz": "namely", "cf": "compare", "etc": "et cetera",
    "inc": "incorporated", "corp": "corporation",
}
"""What stands before a full stop, and is put into words with it."""
NUMBERED = {
    "no": "number", "nos": "numbers", "p": "page", "pp": "pages", "vol": "volume", "fig": "figure",
    "ch": "chapter", "sec": "section", "jan": "January", "feb": "February", "mar": "March",
    "apr": "April", "jun": "June", "jul": "July", "aug": "August", "sep": "September",
    "sept": "September", "oct": "October", "nov": "November", "dec": "December",
}
"""The same of those that are abbreviations only before a number."""
KNOWN = {"dr", "drs", "mr", "mrs", "ms", "st", "mt", "vs", "messrs"}
"""Abbreviations that end no sentence, and that gruut puts into words."""
LAST = {"inc", "corp", "etc", "co", "ltd", "jr", "sr", "ave", "blvd", "rd", "st"}
"""Abbreviations that may end one, as letters with full stops may: p.m., U.S."""
UNITS = {
    "km": "kilometers", "m": "meters", "cm": "centimeters", "mm": "millimeters", "kg": "kilograms",
    "g": "grams", "mg": "milligrams", "lb": "pounds", "lbs": "pounds", "oz": "ounces", "ft": "feet",
    "yd": "yards", "ml": "milliliters", "L": "liters", "min": "minutes", "ms": "milliseconds",
    "km/h": "kilometers per hour", "mph": "miles per hour", "m/s": "meters per second",
    "Hz": "hertz", "kHz": "kilohertz", "MHz": "megahertz", "GHz": "gigahertz", "W": "watts",
    "kW": "kilowatts", "V": "volts", "kB": "kilobytes", "KB": "kilobytes", "MB": "megabytes",
    "GB": "gigabytes", "TB": "terabytes", "°C": "degrees Celsius", "°F": "degrees Fahrenheit",
    "°": "degrees",
}
MONEY = {"$": "dollars", "£": "pounds", "€": "euros", "¥": "yen"}
PARTS = (
    "", "", "half", "third", "quarter", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth",
)
DECADES = (
    "hundred", "ten", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety",
)
SYMBOLS = {"@": " at ", "&": " and ", "+": " plus ", "=": " equals ", "%": " percent"}
SPOKEN = {".": " dot ", "@": " at ", "/": " slash ", "-": " dash ", "_": " underscore "}
"""Characters of addresses."""
# fmt: on

BEGINNING = re.compile(
    r"\s*[\"'(]*(?:The|A|An|He|She|It|They|We|I|You|This|That|These|Those|There|Then|But|And|Or|So"
    r"|In|On|At|If|When|While|As|My|His|Her|Our|Their|What|Who|Why|How|Where|No|Yes|Not|Now)\b"
)
"""Words with which a sentence begins, whatever was before."""
END = re.compile(r"([.!?]+)[\"')\]]*(?=\s)|\n\n|\n(?=[-*] |\d+[.)] )")
SPACE = re.compile(r"\s")
CLAUSE = re.compile(r"[,;:][\"')]*\s|\s-+\s|–|\)\s")


def sentences(text: str | Iterable[str]) -> Iterator[str]:
    """Cut a text into sentences, and long ones into clauses, one after the other.

    No more than a few thousand characters are held, whatever the length of the text. A piece is cut
    after a sentence, a blank line or a point of a list; where that would be longer than 200
    characters after a comma or another mark, else between words, else within a word. "Dr.", "3.5"
    or "5 p.m. on" end no sentence. Typographic characters become plain ones, accents are left out
    (café, cafe), and what gruut reads wrongly is put into words: abbreviations, fractions, units,
    addresses, telephone numbers.

    Args:
        text: a text, or its lines or other parts, which are joined as they are: an open file.

    Yields:
        Pieces with something to say, without a line break, of about 200 characters at most; more
        where numbers or addresses were put into words.

    A Note at the end says which emoji and symbols were left out.

    Raises:
        UserError: when a letter is met that is not Latin; at the end if there is nothing to say.
    """
    dropped: dict[str, None] = {}
    said = False
    for piece in _pieces(_plain(part, dropped) for part in _parts(text)):
        mended = " ".join(_mended(piece).split())
        if any(char.isalnum() for char in mended):
            said = True
            yield mended
    if not said:
        raise UserError("There is nothing to say in the text: give it at least one English word.")
    if dropped:
        shown = " ".join([*dropped][:5]) + (" ..." if len(dropped) > 5 else "")
        warnings.warn(f"Left out, because they have no sound: {shown}", Note, stacklevel=2)


def _parts(text: str | Iterable[str]) -> Iterator[str]:
    for chunk in [text] if isinstance(text, str) else text:
        for start in range(0, len(chunk), SLICE):
            yield chunk[start : start + SLICE]


def _plain(text: str, dropped: dict[str, None]) -> str:
    """In ASCII, but for –, ° and signs of money; symbols that are left out are noted."""
    folded = {char: _folded(char) for char in dict.fromkeys(text)}
    unsaid = [char for char, plain in folded.items() if plain is None]
    foreign = [char for char in unsaid if unicodedata.category(char)[0] == "L"]
    if foreign:
        script = unicodedata.name(foreign[0], "unknown").split()[0]
        raise UserError(
            f"Only English can be spoken, and the text has {' '.join(foreign[:3])} "
            f"({script if script == 'CJK' else script.capitalize()}): write it in Latin letters."
        )
    dropped.update(dict.fromkeys(unsaid))
    return "".join(" " if (plain := folded[char]) is None else plain for char in text)


@functools.lru_cache(SLICE)
def _folded(char: str) -> str | None:
    """What is written for a character; None for symbols and letters of other scripts."""
    if char in REPLACED:
        return REPLACED[char]
    if char.isspace():
        return "\n" if char == "\n" else " "
    if char.isascii():
        return char if char.isprintable() else ""
    if unicodedata.digit(char, None) is not None:
        return str(unicodedata.digit(char))
    decomposed = unicodedata.normalize("NFKD", char).replace("⁄", "/")
    folded = "".join(c for c in decomposed if unicodedata.category(c)[0] != "M")
    if folded.isascii():
        return f" {folded}" if "/" in folded else folded  # ½ after a number
    return {"L": None, "S": None, "P": " "}.get(unicodedata.category(char)[0], "")


def _pieces(parts: Iterable[str]) -> Iterator[str]:
    """Sentences and clauses, however the text comes."""
    held = ""
    for part in parts:
        held = re.sub(r"\n\n+", "\n\n", re.sub(r" ?\n ?", "\n", re.sub(r" +", " ", held + part)))
        while end := _end(held, final=False):
            yield held[:end]
            held = held[end:]
    while end := _end(held, final=True):
        yield held[:end]
        held = held[end:]


def _end(text: str, final: bool) -> int:
    """How long the first piece is; 0 if that cannot be said before there is more text."""
    sure = len(text) if final else len(text) - AHEAD
    for match in END.finditer(text, 0, LONGEST + 1):
        if match.end() > min(sure, LONGEST):
            break
        if _ends(text, match):
            return match.end()
    if len(text) <= LONGEST:
        return len(text) if final else 0
    if sure < LONGEST:
        return 0
    for between in (CLAUSE, SPACE):
        cuts = [match.end() for match in between.finditer(text, 1, LONGEST)]
        if cuts:
            return cuts[-1]
    return LONGEST


def _ends(text: str, match: re.Match[str]) -> bool:
    """Whether a sentence ends with the marks that were found."""
    marks = match[1]
    if not marks:
        return True
    before = text[: match.start()].split()[-1:] or [""]
    word = before[0].lstrip("\"'([").lower()
    after = text[match.end() :].lstrip()
    if marks == ".":
        if word in NUMBERED and after[:1].isdigit():
            return False
        if word in LAST or (re.fullmatch(r"(?:[a-z]\.)*[a-z]", word) and word not in ABBREVIATIONS):
            return not after or bool(BEGINNING.match(after))
        return word not in ABBREVIATIONS and word not in KNOWN
    return not after[:1].islower()


def _mended(piece: str) -> str:
    """In words, where gruut would not find the right ones."""
    if piece.isupper() and len(piece.split()) > 2 and re.search("[A-Z]{5}", piece):
        piece = piece.lower()  # a sentence in capitals, not a row of abbreviations
    for pattern, words in MENDED:
        piece = pattern.sub(words, piece)
    return piece


def _address(match: re.Match[str]) -> str:
    address = re.sub(r"^\w+://|[?#].*|/$", "", match[0])
    return re.sub(r"[.@/_-]", lambda sign: SPOKEN[sign[0]], address)


def _digits(match: re.Match[str]) -> str:
    groups = re.findall(r"\d+", match[0])
    return ", ".join(" ".join(group) for group in groups)


def _abbreviation(match: re.Match[str]) -> str:
    word = (ABBREVIATIONS | NUMBERED)[match[1].lower()]
    end = "." if match.end() == len(match.string) else ""
    return (word.capitalize() if match[1][0].isupper() else word) + end


def _quantity(match: re.Match[str]) -> str:
    unit = UNITS[match[2]]
    if match[1] == "1":
        unit = "foot" if unit == "feet" else re.sub(r"s\b", "", unit, count=1)
    return f"{match[1]} {unit}"


def _fraction(match: re.Match[str]) -> str:
    above, below = int(match[2]), int(match[3])
    joined = f"{match[1]} and " if match[1] else ""
    if 0 < above < below < len(PARTS):
        part = PARTS[below] if above == 1 else f"{PARTS[below].replace('half', 'halve')}s"
        return f"{joined}{above} {part}"
    return f"{joined}{above} over {below}" if above < below else f"{joined}{above} {below}"


def _decade(match: re.Match[str]) -> str:
    name = DECADES[int(match[2])]
    plural = f"{name[:-1]}ies" if name.endswith("y") else f"{name}s"
    return f"{match[1] or ''} {plural}"


_Rule = tuple[re.Pattern[str], str | Callable[[re.Match[str]], str]]
NUMBER = r"\d+(?:,\d{3})*(?:\.\d+)?"


def _rules(*rules: tuple[str, str | Callable[[re.Match[str]], str]]) -> tuple[_Rule, ...]:
    return tuple((re.compile(pattern), words) for pattern, words in rules)


def _either(words: Iterable[str]) -> str:
    return "|".join(map(re.escape, sorted(words, key=len, reverse=True)))


MENDED = _rules(
    (r"\b[\w.+-]+@[\w-]+(?:\.[\w-]+)+", _address),
    (r"\b(?:https?|ftp)://[^\s,;\"'()<>]*[\w/]", _address),
    (r"\b(?:[A-Za-z][\w-]*\.)+(?:com|org|net|edu|gov|io|uk|de|eu)\b(?:/[\w./-]*\w)?/?", _address),
    (r"(?<![\d.-])(?:\+?\d[-. ])?\(?\d{3}\)?[-. ]\d{3}[-.]\d{4}(?![\d-])", _digits),
    (r"(?<![\d.-])\d{3}-\d{4}(?![\d-])", _digits),
    (rf"(?i)\b({_either(ABBREVIATIONS)})\.(?!\w)", _abbreviation),
    (rf"(?i)\b({_either(NUMBERED)})\.(?= ?\d)", _abbreviation),
    (r"(?<!\d[a-z]{2} )\bSt\.(?= [A-Z])", "Saint"),
    (rf"([$£€¥])({NUMBER}) (thousand|[mbtr]+illion)\b", lambda m: f"{m[2]} {m[3]} {MONEY[m[1]]}"),
    (rf"¥({NUMBER})", r"\1 yen"),
    (r"(?<![\w)\].:/-])-(?=[.\d])", "minus "),
    (rf"({NUMBER}) ?({_either(UNITS)})(?![\w°/])", _quantity),
    (r"(\d)'(\d{1,2})(?:\"|'')?(?!\w)", r"\1 foot \2"),
    (r"(?<![\d/.,-])(?:(\d+) )?(\d{1,3})/(\d{1,3})(?![\d/-])", _fraction),
    (r"(?<![\d.,])'?(1[1-9]|20)?'?([1-9]|(?<=\d)0)0'?s\b", _decade),
    (r"(?i)(\d:\d\d(?: ?[ap]\.?m\.?)?) ?[-–] ?(?=\d)", r"\1 to "),
    (rf"(?<![\d/.,:-])({NUMBER}(?:st|nd|rd|th)?) ?[-–] ?(?={NUMBER}(?![\d/:-]))", r"\1 to "),
    (r"(?<=\d)–(?=\d)", " to "),
    (r"–", " - "),
    (r"(?<![\d.,:/-])0\d+(?![\d/:-])|\d{16,}", _digits),
    (r"\d+(?:[.:]\d+){2,}", lambda match: re.sub("[.:]", " ", match[0])),
    (r"(?<=\d) (?=000\b)", ""),
    (r"\.\.\.(?=\w)", "... "),
    (r"#(?=\d)", "number "),
    (r"(?<=[a-zA-Z\d)]) ?\^ ?(?=[a-zA-Z\d(])", " to the power of "),
    (r"([=+#&@%])\1{2,}|[#*_~<>^\\|`]", " "),
    (r"[@&+=%]", lambda match: SYMBOLS[match[0]]),
    (r"(?<=[A-Za-z])(?=\d)|(?<=\d)(?!(?:st|nd|rd|th|[ap]\.?m)\b)(?=[A-Za-z])", " "),
    (r"(?<!\d)/|/(?!\d)", " "),
)
"""Patterns of what gruut leaves out or reads wrongly, and the words for it, in this order."""
