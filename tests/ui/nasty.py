"""Which strings break pages? Of the kinds in the Big List of Naughty Strings (github.com/minimaxir, MIT), the nastiest.

Whatever of them runs would open a dialog, load something, or write an error to the console.
"""
# ruff: noqa: RUF001 - that is what they are for

from playwright.sync_api import Page

_FOUND = """() => ({
    foreign: document.querySelectorAll("main script, main style, main iframe, main img, main base, main link, "
        + "main meta, main [onerror], main [onload], main [onclick], main [onfocus], main [style]:not(.x), "
        + "main template").length,
    forms: [...document.forms].filter((form) => new URL(form.action, location).origin !== location.origin).length,
    wide: document.documentElement.scrollWidth > innerWidth,
})"""


def check_only_text(page: Page) -> None:
    """Nothing of ours is missing, nothing of theirs has become an element, and nothing sticks out."""
    assert page.evaluate(_FOUND) == {"foreign": 0, "forms": 0, "wide": False}, page.url


NASTY: tuple[str, ...] = (
    "<script>alert(1)</script>",
    "</script><script>alert(1)</script>",
    '"><script>alert(1)</script>',
    "'><img src=x onerror=alert(1)>",
    '<img src=x onerror="alert(1)">',
    "<svg onload=alert(1)>",
    "<svg><script>alert(1)</script></svg>",
    "<iframe src=javascript:alert(1)></iframe>",
    "<body onload=alert(1)>",
    '<a href="javascript:alert(1)">x</a>',
    "<form action=https://evil.example><input name=csrf></form>",
    "<base href=https://evil.example/>",
    "<meta http-equiv=refresh content=0;url=https://evil.example>",
    "<link rel=stylesheet href=https://evil.example/x.css>",
    "<style>*{display:none}</style>",
    '<div style="position:fixed;inset:0">x</div>',
    "<template hx type=partial hx-target=body>x</template>",
    "<div hx-get=/logout hx-trigger=load>x</div>",
    "<div data-until=x data-copy=x data-all=incident>x</div>",
    '<!--#exec cmd="/bin/ls" --><!-- <!DOCTYPE',
    "<![CDATA[<script>alert(1)</script>]]>",
    "</textarea><script>alert(1)</script>",
    "</title><script>alert(1)</script>",
    "</bdi></a></p></div></body></html>",
    '" onmouseover=alert(1) autofocus onfocus=alert(1) x="',
    "' onclick='alert(1)",
    "` onclick=`alert(1)`",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "&#60;script&#62; &amp;amp; &nbsp; &copy",
    "\\x3cscript\\x3ealert(1)\\x3c/script\\x3e",
    "＜script＞alert(1)＜/script＞",
    "javascript:alert(1)//",
    "data:text/html;base64,PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg==",
    "{{ 7 * 7 }}{% for x in () %}{# c #}",
    "{{ config.__class__.__mro__ }}",
    "${7*7} #{7*7} <%= 7*7 %>",
    "%s %n %d %x %p {0} {name}",
    "'; DROP TABLE incidents.incidents; --",
    "1' OR '1'='1' UNION SELECT password_hash FROM directory.credentials --",
    "100% _under_ \\back\\ [a-z]*",
    "$(touch /tmp/x) `touch /tmp/x` | touch /tmp/x; &",
    "../../../../etc/passwd",
    "\u202egnp.exe\u202c right to left",
    "\u2067rtl isolate\u2069 \u200fmark",
    "مرحبا بالعالم 12:34 <b>",
    'שלום עולם "quoted" (123)',
    "zero\u200bwidth\u200djoin\ufeffbom",
    "\u00ad\u2060\u180e soft",
    "Z̮̞̠͙͔ͅḀ̗̞͈̻̗Ḷ͙͎̯̹̞͓G̻O̭̗̮",
    "👩‍👩‍👧‍👦 🏳️‍🌈 🇩🇪 💥 1️⃣",
    "田中さんにあげて下さい 社會科學院語學研究所",
    "Ω≈ç√∫˜µ≤≥÷ ¡™£¢∞§¶•ªº–≠",
    "𝐓𝐡𝐞 𝕢𝕦𝕚𝕔𝕜 ɐnbᴉlɐ",
    "ﷺ﷽𒐫",
    "null undefined NaN true -1 1e1000",
    "__proto__ constructor toString",
    "Infinity 0x0 0/0 1,000 ١٢٣",
    "=cmd|' /C calc'!A0 @SUM(1+1)",
    "tab\there\ttoo",
    "a" * 250,
    "nobreak/" + "x-" * 120,
    "W" * 60 + " " + "i" * 190,
)
