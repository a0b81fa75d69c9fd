"""The sample: small pools of plausible and of awkward values, from which rows are drawn."""

from __future__ import annotations

FIRST_NAMES = (
    "Ada", "Björn", "Chloé", "Dmitri", "Eleni", "Farah", "Giulia", "Hiroshi", "Inés", "Jürgen",
    "Kwame", "Leïla", "Małgorzata", "Nguyễn", "Oluwaseun", "Priya", "Qiang", "Rosa", "Søren",
    "Tamar", "Uma", "Víctor", "Wen", "Ximena", "Yusuf", "Zoë",
)  # fmt: skip
LAST_NAMES = (
    "Abernathy", "Brückner", "Castaño", "D'Angelo", "Eriksen", "Fitz-Gerald", "García", "Haddad",
    "Ivanova", "Jónsdóttir", "Kowalczyk", "Lindqvist", "Müller", "Null", "O'Neill", "Petrović",
    "Quispe", "Rossi", "Szabó", "Tanaka", "Ünal", "van der Berg", "Wójcik", "Xu", "Yücel", "李",
)  # fmt: skip
COMPANIES = (
    "Acme, Inc.", 'Baker "Bread" & Sons', "Cøbalt ApS", "Delta; Echo GmbH", "Étoile SARL",
    "Foxtrot\tLogistics", "Golf & Hotel", "株式会社ひまわり", "India Pvt. Ltd.", "Juliet LLC",
)  # fmt: skip
CITIES = (
    ("Lisboa", "", "Portugal", "Europe/Lisbon"),
    ("São Paulo", "SP", "Brazil", "America/Sao_Paulo"),
    ("Springfield", "IL", "United States", "America/Chicago"),
    ("東京", "", "Japan", "Asia/Tokyo"),
    ("Zürich", "ZH", "Switzerland", "Europe/Zurich"),
    ("Winston-Salem", "NC", "United States", "America/New_York"),
)
TITLES = ("CEO", "VP, Marketing", "Head of Growth", 'Chief "Fun" Officer', "Analyst", "Intern")
INDUSTRIES = ("Software", "Health & Care", "Manufacturing", "Public Sector", "Retail", "Energy")
SOURCES = ("Web", "Trade Show", "List Import", "Referral", "Advertising")
REASONS = ("Booth visit", "Clicked, then left", 'Said "maybe"', "Form filled out", "Partner")
TRACKS = ("Early Stage", "Mid Stage", "Late Stage, hot")
ROLES = ("Speaker", "Attendee", "Sponsor", "Press", "NULL", "Null", "NaN", "N/A", "null ")

# Every one of these has broken somebody's reader: separators, quotes, line ends inside a cell,
# separators of Unicode that `splitlines` takes for line ends, blanks at the edges, words that
# look like nothing.
AWKWARD_TEXTS = (
    "plain",
    "comma, semicolon; tab\tand pipe|",
    'she said "hello"',
    '"',
    '""',
    "first line\nsecond line",
    "windows line\r\nnext",
    "lone\rcarriage return",
    "line\u2028separator and paragraph\u2029separator",
    "vertical\x0btab, form\x0cfeed, next\x85line",
    "  leading and trailing  ",
    "NULL",
    "Null",
    " null",
    "emoji 🦩👩🏽‍🚀 and 中文",
    "עברית and العربية",
    "combining e\u0301 and soft\u00adhyphen",
    "backslash \\ and \\n as text",
    "=1+1",
    "'; DROP TABLE leads; --",
    "trailing comma,",
    "\n",
)
