// Strings that programs stumble over, about five hundred, each once. They are made from lists and rules, so that what a group is about
// can be seen; nothing in them is meant to be understood by the server, which has to give each back as it was or refuse it.
const quotes = ["'", '"', "`", "''", '""', "'\"", "\"'`", "\\'", "\\\"", "\\", "\\\\", "\\\\\\", "“quoted”", "‘quoted’", "„quoted“", "«quoted»", "'; --", "a'b", 'a"b'];

const words = ["null", "NULL", "nil", "None", "undefined", "undef", "true", "false", "TRUE", "True", "yes", "no", "on", "off", "NaN", "nan", "Infinity", "-Infinity", "inf",
  "constructor", "__proto__", "prototype", "hasOwnProperty", "toString", "__class__", "self", "this", "CON", "PRN", "AUX", "NUL", "COM1", "LPT1", "nobody", "root", "admin",
  "campaigns", "bulk", "values", "assignments", "Null Island", "Scunthorpe", "company_id", "deleted_at", "SELECT", "ORDER BY", "all", "*", "%", "_", "?", "$1", "$$", ":id", "@id"];

const numbers = ["0", "-0", "+0", "00", "0.0", "-1", "1e3", "1E3", "1e400", "-1e-400", ".5", "5.", "1,000", "1.000,00", "1'000", "1_000", "0x10", "0b10", "0o10", "010", "١٢٣", "१२३", "１２３", "½", "²", "Ⅷ",
  "9223372036854775807", "9223372036854775808", "-9223372036854775809", "18446744073709551616", "1.7976931348623157e308", "4.9e-324", "123456789012345678901234567890",
  "2147483648", "1/0", "0/0", "$1.00", "1 €", "(1)", "1%", "--1", "1-1", "1+1"];

const dates = ["2024-02-30", "0000-00-00", "9999-12-31T23:59:60Z", "31/12/2024", "12/31/24", "1970-01-01T00:00:00Z", "2024-W01-1", "now", "today", "tomorrow", "noon"];

const injections = ["'; DROP TABLE kpi; --", "1' OR '1'='1", "1 OR 1=1", "\" OR \"\"=\"", "') OR ('1'='1", "1; SELECT pg_sleep(10)", "1 UNION SELECT 1", "admin'--", "'||'", "/**/", "--", ";", "E'\\x27'",
  "%27%20OR%201", "x' AND 1=(SELECT COUNT(*) FROM person); --", "MATCH \"kpi\" NEAR", "a AND b", "a OR NOT b", "NEAR(a b)", "^a", "a*", "col:term", "{a b}", "(", ")", "()", "[", "]", "{", "}", "{}", "[]",
  "<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "javascript:alert(1)", "</title><script>", "&lt;b&gt;", "&amp;", "&#x41;", "<!--", "]]>", "<![CDATA[", "<?xml version=\"1.0\"?>", "<!DOCTYPE x>",
  "${7*7}", "{{7*7}}", "#{7*7}", "<%= 7*7 %>", "${jndi:ldap://x}", "$(id)", "`id`", "| id", "; id", "&& id", "|| id", "> file", "< file", "%s%s%s%n", "%d", "%x", "%p", "%%", "%n%n%n%n", "%99999999s", "{0}", "{name}",
  "=1+1", "+1+1", "-1+1", "@SUM(A1)", "=cmd|' /C calc'!A0", "../../etc/passwd", "..\\..\\windows", "/etc/passwd", "file:///etc/passwd", "C:\\x", "\\\\server\\share", "%2e%2e%2f", "..%2f", "%00", "%0d%0aSet-Cookie: a=b",
  "a\r\nSet-Cookie: a=b", "*)(uid=*", "(|(a=b))", "xp_cmdshell", "\u0000", "a\u0000b", "\u0000\u0000", "{\"$gt\": \"\"}", "{\"a\":1}", "[1,2]", "\"quoted\"", "{{", "}}", "{kpi-001}", "~", "^", "!", "#", "&", "+", "a+b", "a%20b", "a%2Bb", "http://example.com/?a=b&c=d#e"];

const blanks = [" lead", "trail ", " both ", "two  blanks", "\ttab", "tab\tin", "line\nfeed", "line\r\nend", "return\rin", "\nlead", "trail\n", " ", "   ", "\t", "\n", "\r\n", "\u000b", "\u000c", "\u00a0", "\u0085",
  "no\u00a0break", "thin\u2009space", "ideographic\u3000space", "ogham\u1680space", "zero\u200bwidth", "\u200b", "word\u2060joiner", "\ufeffbom first", "bom\ufefflast", "line\u2028separator", "paragraph\u2029separator", "soft\u00adhyphen", "\u180e", "\u3164", "\u2800"];

const controls = Array.from({ length: 31 }, (_, i) => `control ${i + 1} ${String.fromCharCode(i + 1)} end`).concat(["del \u007f end", "c1 \u0080 end", "c1 \u009f end", "esc \u001b[31mred\u001b[0m", "bell \u0007", "back\u0008\u0008\u0008\u0008"]);

const scripts = ["äöüßÄÖÜẞ", "éèêëçñ", "łóżźćńśąę", "čšžýřďťň", "ığüşöçİI", "ÆØÅæøå", "þðÞÐ", "ăîșț", "Ελληνικά ΣΊΣΥΦΟΣ", "Русский ЁЖ", "Українська ґ", "עברית", "العربية", "فارسی ۱۲۳", "हिन्दी", "বাংলা", "தமிழ்", "తెలుగు", "ไทย กำ", "ພາສາລາວ", "မြန်မာ", "ភាសាខ្មែរ", "中文繁體", "简体中文", "日本語", "カタカナ ｶﾀｶﾅ", "ひらがな", "한국어 각 각",
  "ქართული ᲥᲐᲠᲗᲣᲚᲘ", "Հայերեն", "አማርኛ", "ᏣᎳᎩ ꮳꮃꭹ", "ᠮᠣᠩᠭᠣᠯ", "བོད་ཡིག", "ትግርኛ", "ᚠᚢᚦᚨᚱᚲ", "𐎠𐎡𐎢", "𓀀𓂀", "𝔘𝔫𝔦𝔠𝔬𝔡𝔢", "𝕌𝕟𝕚", "Ｆｕｌｌｗｉｄｔｈ", "ⓒⓘⓡⓒⓛⓔⓓ", "ʇxǝʇ uʍop", "ﬁ ﬂ ﬀ ﬆ", "Ǆ ǅ ǆ", "ŉ ǰ ΐ", "ſ K Å Ω", "ẞ ß ss SS", "İ i̇ ı I", "ͅ ι Ι", "ᾳ ᾼ", "Ⱥ ⱥ", "\u{1F88} ᾀ"];

const combining = ["e\u0301 \u00e9", "\u0301lead", "Å \u212b A\u030a", "q\u0307\u0323 q\u0323\u0307", "각 \u1100\u1161\u11a8", "Z͑ͫ̓ͪ̂ͫ̽͏̴̙̤̞͉͚̯̞̠͍A̴̵̜̰͔ͫ͗͢", "a" + "\u0300".repeat(100), "नी नी", "ซ้ำ", "\u200d", "a\u200db", "a\u200cb",
  "👨‍👩‍👧‍👦", "👩🏽‍🚀", "🏳️‍🌈", "🇬🇧🇫🇷", "🇬", "✈︎ ✈️", "1️⃣", "👍🏿", "🙂🙃", "💩", "\u{10ffff}", "\u{e0001}\u{e0041}", "\u{f0000}", "\u{1fffe}", "\ufffe", "\uffff", "\ufdd0", "\ufffd", "\ue000", "\u{1d173}"];

const directions = ["\u202eright to left", "\u202dabc\u202c", "\u2066iso\u2069", "\u200fabc", "\u200eabc", "abc אבג 123", "\u061cabc", "שלום world", "\u202a\u202b\u202c\u202d\u202e"];

const looks = ["раураl", "аdmin", "Ηello", "ｋｐｉ－００１", "kpi‐001", "kpi–001", "kpi—001", "KPI-001", "kpi-001 ", "k\u200bpi-001", "l1|I", "0O", "rn m"];

const shapes = ["a", "A", "z", "é", "字", ".", "..", "...", ",", "/", "//", "\\/", "-", "--", "_", "a.b", "a/b", "a:b", "a;b", "a,b", "a|b", "a=b", "a?b", "a#b", "a&b", "a@b", "a b c d e f g", "CamelCase", "snake_case", "kebab-case",
  "MiXeD", "x".repeat(200), "ü".repeat(200), "字".repeat(200), "😀".repeat(120), "ab ".repeat(60) + "c", "\"".repeat(150), "\\".repeat(150), "%".repeat(150), "<".repeat(150), "\n".repeat(80) + "x", "a\u0301".repeat(120)];

const letters = "abcdefghijklmnopqrstuvwxyz".split("").map((c, i) => `${c.toUpperCase()}${c}${String.fromCodePoint(0xc0 + i)}${String.fromCodePoint(0x391 + (i % 17))}${String.fromCodePoint(0x410 + i)}`);
const blocks = Array.from({ length: 60 }, (_, i) => String.fromCodePoint(0x100 + i * 0x1f5, 0x2000 + i * 0x11, 0x10000 + i * 0x9a1));

export const naughty = [...new Set([quotes, words, numbers, dates, injections, blanks, controls, scripts, combining, directions, looks, shapes, letters, blocks].flat())];
