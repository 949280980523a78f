# The structure of JSON without its values, and the first place where it is none. Input: the text in lines of at most some hundred bytes
# (substr takes time that grows with them), its own line ends as \001. Variables: outline (1: print the structure), most (lines of it),
# cut (1: the text is only the beginning of the file). Prints "key  type" lines as comments, then one of
#   bad LINE what is wrong         twice LINE KEY (a key that its object has already)         fine COUNT

BEGIN { line = 1; expect = "value"; special = "[\"\\\\\001]"; if (!most) most = 150 }

bad { next }

NR == 1 && substr($0, 1, 3) == "\357\273\277" { $0 = substr($0, 4) } # a byte order mark

{
  size = length($0)
  for (i = 1; i <= size && !bad; i++) {
    # Most of a file is text in strings: passed over in one step.
    if (in_string && !escaped) {
      rest = substr($0, i)
      plain_size = match(rest, special) ? RSTART - 1 : length(rest)
      count += plain_size
      if (count <= 80) text = text substr(rest, 1, plain_size)
      i += plain_size
      if (i > size) break
    }
    take(substr($0, i, 1))
  }
}

END {
  if (word != "") end_word()
  if (!bad && !cut) {
    if (in_string) fail("a string is not closed; it begins in line " string_line, 1)
    else if (depth) fail("the text ends before the " (kind[depth] == "{" ? "object" : "list") " that begins in line " opened[depth] " is closed", 1)
    else if (expect == "value") fail(values ? "the text ends where a value is expected" : "it holds no value", 1)
  }
  if (outline && hidden) print "# and " hidden " more"
  if (repeated != "") print "twice " repeated
  print bad ? "bad " bad_line " " bad : "fine " values + 0
}

function fail(what, at_end) { if (!bad) { bad = what; bad_line = line } }

function take(c) {
  if (in_string) {
    if (escaped) { escaped = 0; count++; text = text "?" }
    else if (c == "\\") { escaped = 1; raw_escape = 1 }
    else if (c == "\"") end_string()
    else if (c == "\001") { line--; fail_at(string_line, "a string is not closed at the end of the line"); line++ }
    else { count++; if (count <= 80) text = text c }
    return
  }
  if (word != "" && c !~ /[A-Za-z0-9+.-]/) { end_word(); if (bad) return }
  if (c == "\001") { line++; slash = 0; return }
  if (c == " " || c == "\t" || c == "\r") return
  if (c == "\"") { begin_string(); return }
  if (c == "{" || c == "[") {
    if (expect != "value" && expect != "value or end") { misplaced(c); return }
    show(c == "{" ? "object" : "list")
    kind[++depth] = c; opened[depth] = line; item[depth] = 0; key[depth] = ""; serial[depth]++
    expect = c == "{" ? "key or end" : "value or end"
    return
  }
  if (c == "}" || c == "]") { close_it(c); return }
  if (c == ",") {
    if (!depth || expect != "comma") { fail(expect == "key" || expect == "value" ? "two commas follow each other, or a value is missing" : "a comma stands where none may be"); return }
    expect = kind[depth] == "{" ? "key" : "value"
    if (kind[depth] == "[") item[depth]++
    after_comma = 1
    return
  }
  if (c == ":") { if (expect == "colon") expect = "value"; else fail("a colon stands where none may be"); return }
  if (c == "/" || c == "#") { fail("comment"); return }
  if (c == "'") { fail("text in single quotes; JSON takes double ones"); return }
  if (c ~ /[A-Za-z0-9+.-]/) {
    if (expect == "value" || expect == "value or end") word = word c
    else misplaced(c)
    return
  }
  fail(c == "$" || c == "%" ? "a placeholder stands where a value is expected" : "a character that JSON does not have there")
}

function fail_at(where, what) { if (!bad) { bad = what; bad_line = where } }

function misplaced(c) {
  if (expect == "comma") fail(depth ? "a comma is missing before this" : "something follows the end of the JSON text")
  else if (expect == "colon") fail("a colon is missing after the key")
  else if (expect == "done") fail("something follows the end of the JSON text")
  else fail("a key without double quotes")
}

function close_it(c) {
  if (!depth || kind[depth] != (c == "}" ? "{" : "[")) { fail("\"" c "\" closes nothing that is open"); return }
  if (expect == "key" || (expect == "value" && kind[depth] == "[")) { fail("a comma before the closing \"" c "\""); return }
  if (expect == "value" || expect == "colon") { fail("a key has no value"); return }
  depth--
  ended()
}

function ended() { values++; expect = depth ? "comma" : "done" }

function begin_string() {
  if (expect != "value" && expect != "value or end" && expect != "key" && expect != "key or end") { misplaced("\""); return }
  in_string = 1; escaped = 0; count = 0; text = ""; string_line = line
}

function end_string() {
  in_string = 0
  if (expect == "key" || expect == "key or end") {
    key[depth] = plain(text, count)
    name = depth "." serial[depth] "." text
    if (name in had) { if (repeated == "") repeated = line " " plain(text, count) }
    else if (count <= 80 && names++ < 3000) had[name] = 1
    expect = "colon"
    return
  }
  show(count ? "text of " count " characters" : "text, empty")
  ended()
}

function end_word() {
  if (word == "true" || word == "false") show("true or false")
  else if (word == "null") show("null")
  else if (word ~ /^-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?$/) show("number")
  else fail(word ~ /^[0-9+.-]/ ? "a number that JSON does not have" : "a word without quotes (only true, false and null may stand so)")
  word = ""
  ended()
}

# A key as it may be printed: names do, what might be a secret does not.
function plain(name, size) { return name ~ /^[A-Za-z0-9_.\/-]+$/ && size <= 48 && !(size >= 20 && name ~ /[0-9].*[a-z].*[0-9]|[a-z].*[0-9].*[A-Z]/) ? name : "(key of " size " characters)" }

function show(type,   path, level) {
  if (!outline) return
  if (shown >= most) { hidden++; return }
  shown++
  path = ""
  for (level = 1; level <= depth; level++) path = path (kind[level] == "{" ? (path == "" ? "" : ".") key[level] : "[" item[level] "]")
  print "# " (path == "" ? "(all)" : path) ": " type
}
