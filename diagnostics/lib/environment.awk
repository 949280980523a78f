# What the environment of a process has: its names, and which values are surely not meant so. Input: NAME=VALUE, one a line, where \001 stands
# for a line break inside of a value; variables: check. No value is printed, nor a part of one: of a reference $(NAME) only the name.

{
  equals = index($0, "=")
  if (equals < 2) next
  name = substr($0, 1, equals - 1)
  text = substr($0, equals + 1)
  gsub(/[^A-Za-z0-9_.-]/, "?", name)
  name = substr(name, 1, 100)
  if (name in defined) { if (!twice[name]++) doubles = doubles (doubles == "" ? "" : ", ") name }
  else order[++n] = name
  defined[name] = 1
  if (text == "") empty = empty (empty == "" ? "" : ", ") name
  look(name, text)
}

function look(name, text,   inner) {
  # A PEM block and the like have line breaks inside, and end in one.
  inner = text
  sub(/[\001\r \t]+$/, "", inner)
  # A word is taken as it stands, and the break with it; text, JSON or a script mostly does not mind.
  if (inner != "" && inner !~ /[\001 \t{}<>;]/ && inner !~ /^\[/) {
    if (text ~ /\r\001?$/) add(name, "carriage-return", "ends in a carriage return", "it was read from a file with line ends of Windows")
    else if (text ~ /\001$/) add(name, "line-break", "ends in a line break", "it was made from a file or by echo, as a Secret by `echo VALUE | base64`, or by | in YAML: the line break is part of the value")
  }
  if (text ~ /\{\{-? *\.(Values|Release|Chart)\./ || text ~ /<no value>/ || text ~ /^(undefined|\[object Object\]|<nil>)$/) add(name, "template", "holds an unfilled template", "what should have filled the template (Helm, envsubst) had no value, or did not run")
  else if (tolower(text) ~ /^(change[-_]?me|replace[-_]?me|todo|fixme|<your[^<>]*>|your[-_][a-z0-9_-]*[-_]here)$/) add(name, "placeholder", "is a placeholder, which somebody was to replace", "the example was taken as it is")
  else if (text ~ /^"[^" {}]+"$/ || text ~ /^\047[^\047 {}]+\047$/) add(name, "quotes", "stands in quotes, which are part of it", "it was taken from a file of NAME=\047VALUE\047 lines, whose quotes only a shell takes away")
  else if (text ~ /^ | $/ && text ~ /^ *([0-9]+|[a-z]+:\/\/[^ ]+) *$/) add(name, "blank", "begins or ends in a blank", "it was written so, or a template left it")
  if (match(text, /\$\([A-Z_][A-Z0-9_]*\)/)) {
    reference[name] = substr(text, RSTART + 2, RLENGTH - 3)
    add(name, "unresolved", "", "")
  }
}
function add(name, what, words, cause) { if (found >= 10) return; who[++found] = name; kind[found] = what; saying[found] = words; why[found] = cause }

END {
  for (i = 1; i <= n && i <= 200; i++) {
    line = line (line == "" ? "" : " ") order[i]
    if (length(line) > 120 || i == n || i == 200) { print "# " line; line = "" }
  }
  if (n > 200) print "# and " n - 200 " more"
  if (empty != "") print "# empty: " substr(empty, 1, 1000)
  if (doubles != "") print "# more than once, of which most programs take the first: " substr(doubles, 1, 1000)
  for (i = 1; i <= found; i++) {
    name = who[i]
    if (kind[i] == "unresolved") {
      other = reference[name]
      finding("unresolved/" name, "warn", "environment variable " name " holds the unresolved reference $(" other ")" ((other in defined) ? "" : ": " other " is not defined"), "Kubernetes replaces $(NAME) only by variables that the pod defines, in its env before this one, not by those of the image", (other in defined) ? "move the definition of " other " before that of " name ", into env of the container" : "define " other " in env before " name ", or correct the name")
    } else finding(kind[i] "/" name, "warn", "the value of environment variable " name " " saying[i], why[i], "correct it where it is made; a restart of the container takes the new value")
  }
  if (!found) print "ok - the environment of the target has " n " variable" (n == 1 ? "" : "s")
}
