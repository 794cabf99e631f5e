"""Texts that would run if anything took them for markup."""

from itertools import product

RUN = "window.ran=1"
SCRIPTS = (
    RUN,
    f"eval('{RUN}')",
    f"setTimeout(()=>{{{RUN}}})",
    f"(function(){{{RUN}}})()",
    "alert(1)",
    "top['ran']=1",
    "window['\\x72an']=1",
    "Function('window.ran=1')()",
)
ELEMENTS = (
    "<script>{}</script>",
    "<ScRiPt >{}</sCrIpT>",
    "<img src=x onerror={}>",
    "<img src=x onerror='{}'//",
    "<svg onload={}>",
    "<svg><script>{}</script></svg>",
    "<svg><animate onbegin={} attributeName=x dur=1s>",
    "<math><mtext><table><mglyph><style><img src=x onerror={}>",
    "<iframe srcdoc='<script>{}</script>'>",
    "<iframe src=javascript:{}>",
    "<object data=javascript:{}>",
    "<embed src=javascript:{}>",
    "<body onload={}>",
    "<details open ontoggle={}>",
    "<input autofocus onfocus={}>",
    "<video><source onerror={}></video>",
    "<form><button formaction=javascript:{}>x</button></form>",
    "<a href=javascript:{}>x</a>",
    "<base href=javascript:{}//>",
    "<style>@import 'javascript:{}'</style>",
    "<noscript><p title='</noscript><img src=x onerror={}>'>",
    "<template><script>{}</script></template>",
    "--><script>{}</script><!--",
    "]]><script>{}</script>",
    "</title><script>{}</script>",
    '"><script>{}</script>',
    "'><svg/onload={}>",
    "<x onclick={} style=position:fixed;inset:0>x",
    "<marquee onstart={}>",
    "<link rel=stylesheet href=javascript:{}>",
    "<meta http-equiv=refresh content='0;url=javascript:{}'>",
    "&lt;script&gt;{}&lt;/script&gt;",
    "\u003cscript\u003e{}\u003c/script\u003e",
    "＜script＞{}＜/script＞",
    "<scr\tipt>{}</scr\tipt>",
)
LINKS = (
    "[x](javascript:{})",
    "[x](JaVaScRiPt:{})",
    "[x](java\tscript:{})",
    "[x]( javascript:{})",
    "[x](&#106;avascript:{})",
    "[x](data:text/html,<script>{}</script>)",
    "[x](vbscript:{})",
    '[x](https://a.example/"onmouseover="{})',
    "[x](https://a.example/'onfocus='{})",
    "[<img src=x onerror={}>](https://a.example/)",
    "![x](javascript:{})",
    '![x" onerror="{}](https://a.example/x.png)',
    'https://a.example/"onclick="{}',
    "https://a.example/<script>{}</script>",
    "http://javascript:{}",
    "javascript://a.example/%0a{}",
    "**<b onmouseover={}>x**",
    "~~<svg/onload={}>~~",
    "`<script>{}</script>`",
    "```html\n<script>{}</script>\n```",
    "> <script>{}</script>",
    "> > <img src=x onerror={}>",
    "@<script>{}</script>",
    '@ada"><script>{}</script>',
    "{{{{constructor.constructor('{}')()}}}}",
    "${{{}}}",
    "<%= {} %>",
    '{{"__html":"<script>{}</script>","dangerouslySetInnerHTML":1}}',
    "\u202e<script>{}</script>\u202c",
    "\u2066[x](javascript:{})\u2069",
)
"""The page's own format, bent."""

TEXTS = [shape.format(script) for shape, script in product(ELEMENTS + LINKS, SCRIPTS)] + [
    "<" * 2000,
    "*" * 3000,
    "[" * 3000,
    "`" * 3000,
    "> " * 1500,
    "\u202e" * 500,
]

FOUND = """() => ({
  ran: window.ran,
  elements: [...document.querySelectorAll(
    ".messages :is(script, img, iframe, object, embed, style, link, meta, form),"
    + " .messages :is(input, video, math, base, template, svg:not(.icon))")]
    .map((one) => one.outerHTML),
  attributes: [...document.querySelectorAll(".messages *")].flatMap((one) =>
    [...one.attributes].map(({name}) => name)
      .filter((name) => name.startsWith("on") || name === "style")),
  links: [...document.querySelectorAll(".messages a[href]")].map((one) => one.protocol)
    .filter((one) => !/^https?:$/.test(one)),
})"""
"""What must not be in the page, and is nothing, undefined or empty."""

NOTHING: dict[str, list[str]] = {"elements": [], "attributes": [], "links": []}
