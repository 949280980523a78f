# The structure of YAML, properties, ini and env files without their values, and what is surely wrong with it. Input: the text, no line over
# 1000 bytes. Variables: format (yaml, properties, ini, env), outline, most and cut as in config-json.awk. Prints comments, then
#   bad LINE what is wrong         twice LINE KEY         fine COUNT

BEGIN { if (!most) most = 150 }

NR == 1 && substr($0, 1, 3) == "\357\273\277" { $0 = substr($0, 4) } # a byte order mark

# What was broken off a long line is no line, and no key.
{
  rest = broken
  broken = length($0) >= 1000
  if (!rest) line_number++
}
{ sub(/\r$/, "") }
rest { go_on($0); next }

# What a template engine was to fill in need not be right before it is.
/\{\{|<%|\{%/ { template = 1 }

format == "yaml" { yaml($0); next }

{ pair($0) }

END {
  if (quote != "" && !cut) fail(quote_line, "a quote is opened and not closed")
  if (outline && hidden) print "# and " hidden " more"
  if (repeated != "") print "twice " repeated
  print bad && !template ? "bad " bad_line " " bad : "fine " values + 0
}

# The rest of a long line may end what the line began.
function go_on(text) {
  if (format == "yaml") {
    if (quote != "") end_quote(text)
    else if (flow > 0) count_flow(text)
  } else if (quote != "") { if (index(text, quote)) quote = "" }
  else if (continues()) continued = text ~ /\\$/
}
function continues() { return format == "properties" || format == "env" }

function fail(at, what) { if (!bad && !template) { bad = what; bad_line = at } }

function plain(name,   size) {
  size = length(name)
  return name ~ /^[A-Za-z0-9_.\/-]+$/ && size <= 48 && !(size >= 20 && name ~ /[0-9].*[a-z].*[0-9]|[a-z].*[0-9].*[A-Z]/) ? name : "(key of " size " characters)"
}

function show(text) {
  if (!outline) return
  if (shown >= most) hidden++
  else { print "# " text; shown++ }
}

function type(value,   inner) {
  if (value == "" || value == "~" || value == "null") return "null"
  if (value ~ /^"[^"]*"$/ || value ~ /^'[^']*'$/) { inner = length(value) - 2; return inner ? "text of " inner " characters" : "text, empty" }
  if (value ~ /^[-+]?[0-9][0-9_]*(\.[0-9]+)?([eE][-+]?[0-9]+)?$/) return "number"
  if (value ~ /^([Tt]rue|[Ff]alse|TRUE|FALSE|[Yy]es|[Nn]o|[Oo]n|[Oo]ff)$/) return "true or false"
  if (value ~ /^[[{]/) return (value ~ /^\[/ ? "list" : "object") " on one line, " length(value) " characters"
  if (value ~ /^[|>]/) return "block of text"
  if (value ~ /^[&*!]/) return "anchor, alias or tag"
  return "text of " length(value) " characters"
}

# --- properties, ini, env --------------------------------------------------------

function pair(text,   at, name, value, indent) {
  indent = match(text, /[^ \t]/) - 1
  sub(/^[ \t]+/, "", text)
  if (quote != "") { if (index(text, quote)) quote = ""; return }
  if (continued) { continued = text ~ /\\$/; return }
  if (text == "" || text ~ /^[#;!]/) return
  if (text ~ /^\[.*\]$/) { section = text; inside = ""; show(plain_section(text)); return }
  # Deeper than the key above: what goes on with its value.
  if (format == "ini" && inside != "" && indent > inside) { bare(text); return }
  sub(/^export[ \t]+/, "", text)
  at = match(text, format == "properties" ? "[=:]" : "=")
  if (!at) { bare(text); return }
  inside = indent
  name = substr(text, 1, at - 1)
  value = substr(text, at + 1)
  sub(/[ \t]+$/, "", name)
  gsub(/^[ \t]+|[ \t]+$/, "", value)
  values++
  show((encoded(text) ? "(key of " length(name) " characters)" : plain(name)) ": " (value == "" ? "empty" : type(value)))
  if ((section, name) in had) { if (repeated == "" && format != "ini") repeated = line_number " " plain(name) }
  else if (values < 3000) had[section, name] = 1
  if (continues() && value ~ /\\$/) continued = 1
  if (format == "ini" && value ~ /^("""|''')/) {
    if (!index(substr(value, 4), substr(value, 1, 3))) { quote = substr(value, 1, 3); quote_line = line_number }
  } else if (format != "properties" && value ~ /^["']/ && !index(substr(value, 2), substr(value, 1, 1))) { quote = substr(value, 1, 1); quote_line = line_number }
}

# A line that is no pair may be anything, also a secret.
function bare(text) { values++; show("(line of " length(text) " characters)") }

# Base64 ends with the sign that stands between a key and its value.
function encoded(text) { return text ~ /^[A-Za-z0-9+\/_-]+==?$/ && length(text) % 4 == 0 && text ~ /[a-z]/ && text ~ /[A-Z]/ }

function plain_section(text) { text = substr(text, 2, length(text) - 2); return "[" plain(text) "]" }

# --- YAML ------------------------------------------------------------------------
# Only what is surely wrong is told: block scalars, quoted text over several lines and flow collections are passed over.

function yaml(text,   indent, body, dashes, at) {
  body = text
  sub(/^[ \t]*/, "", body)
  indent = length(text) - length(body)
  if (block >= 0 && in_block) { if (body == "" || indent > block) return; in_block = 0 }
  if (quote != "") { end_quote(text); return }
  if (flow > 0) { count_flow(text); return }
  if (body == "" || body ~ /^#/) return
  if (text ~ /^(---|\.\.\.)([ \t]|$)/) { levels = 0; after_scalar = 0; document++; return }
  if (text ~ /^%/) return
  if (substr(text, 1, indent) ~ /\t/) { fail(line_number, "a tab in the indentation, where YAML takes blanks only"); return }
  if (after_scalar && levels && indent > depth[levels]) {
    # Plain text goes on in deeper lines, a key cannot stand there.
    if (body !~ /^-([ \t]|$)/ && key_end(body)) fail(line_number, "it is indented deeper than the line above, which has a value already")
    return
  }
  item = 0
  while (body ~ /^-([ \t]|$)/) {
    enter(indent, "-")
    item = 1
    after_scalar = 0
    sub(/^-[ \t]*/, "", body)
    indent = length(text) - length(body)
    if (body == "" || body ~ /^#/) return
  }
  at = key_end(body)
  if (at) yaml_key(substr(body, 1, at - 1), substr(body, at + 1), indent)
  else scalar(body, indent)
}

# Where the colon after a key stands, 0 if there is none.
function key_end(body,   i) {
  if (body ~ /^"[^"]*"[ \t]*:([ \t]|$)/ || body ~ /^'[^']*'[ \t]*:([ \t]|$)/) { i = index(substr(body, 2), substr(body, 1, 1)) + 1; return i + index(substr(body, i + 1), ":") }
  if (body ~ /^[[{"'|>&*!%@`]/) return body ~ /^[*&!][^ ]* *:( |$)/ ? index(body, ":") : 0
  if (!match(body, /:([ \t]|$)/)) return 0
  i = RSTART
  return match(body, /[ \t]#/) && RSTART < i ? 0 : i
}

# A line at this depth: closes deeper levels. An indentation that was not seen on the way is an error.
function enter(indent, sort,   last) {
  last = levels
  while (levels && depth[levels] > indent) levels--
  if (levels && depth[levels] == indent) {
    if (kinds[levels] == sort) { if (sort == "-") instance[levels]++; return }
    # A list may stand at the depth of the key that it belongs to.
    if (sort == "-") { levels++; depth[levels] = indent; kinds[levels] = sort; instance[levels]++; return }
    if (levels > 1 && depth[levels - 1] == indent && kinds[levels - 1] == sort) { levels--; return }
    fail(line_number, "a key stands where a list item is expected")
    return
  }
  if (levels < last && levels) { fail(line_number, "its indentation is that of no line above it"); return }
  levels++
  depth[levels] = indent
  kinds[levels] = sort
  instance[levels]++
}

function yaml_key(name, value, indent,   place) {
  enter(indent, "key")
  if (bad) return
  gsub(/^["']|["' \t]+$/, "", name)
  place = where(name)
  if (name != "<<" && name != "" && place in had) { if (repeated == "") repeated = line_number " " plain(name) }
  else if (values < 3000) had[place] = 1
  sub(/^[ \t]+/, "", value)
  if (value ~ /^#/) value = ""
  if (value !~ /^["']/) sub(/[ \t]+#.*$/, "", value)
  sub(/[ \t]+$/, "", value)
  values++
  show((item ? spaces(indent - 2) "- " : spaces(indent)) plain(name) ":" (value == "" ? "" : " " type(value)))
  begin(value, indent)
}

# What makes a key the same: its levels, each with how often it was entered.
function where(name,   text, level) {
  text = document
  for (level = 1; level <= levels; level++) text = text "/" level "." depth[level] "." instance[level]
  return text "/" name
}

function scalar(value, indent) {
  values++
  if (item) show(spaces(indent - 2) "- " type(value))
  begin(value, indent)
}

function begin(value, indent) {
  after_scalar = value != "" && value !~ /^[&!]/
  if (value ~ /^([&!][^ ]+ +)*[|>][-+0-9]*$/) { in_block = 1; block = levels ? depth[levels] : -1; after_scalar = 0; return }
  if (value ~ /^["']/) {
    quote = substr(value, 1, 1)
    quote_line = line_number
    end_quote(substr(value, 2))
    return
  }
  if (value ~ /^[[{]/) { count_flow(value); return }
  if (after_scalar && value ~ /^[^*&!][^"']*:( |$)/) fail(line_number, "the value holds a colon and is not quoted (mapping values are not allowed here)")
}

# A double quote ends where no backslash is before it, a single one where it is not doubled.
function end_quote(text,   i, c) {
  if (quote == "\"") gsub(/\\./, "", text)
  if (quote == "'") gsub(/''/, "", text)
  if (index(text, quote)) quote = ""
}

function count_flow(text) {
  gsub(/"([^"\\]|\\.)*"|'[^']*'/, "", text)
  sub(/[ \t]#.*$/, "", text)
  flow += gsub(/[[{]/, "", text) - gsub(/[]}]/, "", text)
  if (flow < 0) flow = 0
}

function spaces(n,   text) { for (text = ""; n > 0 && length(text) < 40; n--) text = text " "; return text }
