# Everything that is printed passes here once. Numbers the test points, adds plan and end line, counts, keeps the byte cap,
# and lets nothing that a check prints pass for the stream's own words. Input: see run_checks in run.sh; no line is over 4000 bytes
# but for what fold broke, whose rest is never read as TAP.

BEGIN { reserve = 300; lines = bytes = points = 0; put("TAP version 14") }

NR == 1 { nonce = $0 " "; size = length(nonce); next }

substr($0, 1, size) == nonce { if ($2 != "pad") command(substr($0, size + 1)); next }

dropping { next }

$0 == "" { broken = 0; next }

{
  line = $0
  rest = broken
  broken = length(line) == 4000
  if (rest) line = (yaml ? "    " : "# ") line
}

artifact != "" {
  if (line ~ /^[A-Za-z0-9+\/]+=*$/) { print_checked(line); next }
  if (line == "====") { print_checked(line); artifact = ""; next }
  leave()
}

yaml {
  if (line == "  ...") { print_checked(line); yaml = 0; next }
  if (line ~ /^  /) { print_checked(line); next }
  leave()
}

line == "  ---" && after_point { yaml = 1; after_point = 0; print_checked(line); next }

{ after_point = 0 }

line ~ /^(not )?ok([ \t]|$)/ {
  verdict = line ~ /^not/ ? "not ok " : "ok "
  title = line
  sub(/^(not )?ok[ \t]*[0-9]*[ \t]*(-[ \t]*)?/, "", title)
  sub(/[ \t]+[{][ \t]*$/, "", title) # would begin a subtest
  if (print_checked(verdict (points + 1) " - " title)) { points++; said++; after_point = 1 }
  next
}

line ~ /^begin-base64 [0-7]+ [A-Za-z0-9._-]+$/ { if (print_checked(line)) { artifact = line; sub(/.* /, "", artifact) }; next }

line ~ /^#/ && line !~ /^#[ \t]*([Aa]utodiagnose|check|Subtest)/ { print_checked(line); next }

{ print_checked("# | " line) }

END {
  if (!ended && !full) { finish_check(); put("# autodiagnose broke off") }
  put(points ? "1.." points : "1..0 # SKIP " (expired ? "expired" : "no check was run"))
  print "# autodiagnose end lines=" lines " bytes=" bytes
  fflush()
  system("kill -USR2 0") # fold would wait for a process that left its check and holds our pipe
}

function put(text) { print text; lines++; bytes += length(text) + 1 }

# Prints a line of a check, unless it would pass the cap, or half of what was left when the check began: later ones shall be heard too.
function print_checked(text) {
  if (bytes + length(text) + 1 > cap - reserve || bytes + length(text) + 1 > share) {
    leave()
    put("# autodiagnose cut at " bytes " bytes")
    dropping = 1
    system("kill -USR1 0") # the check need not go on
    if (cap - reserve - bytes < 2 * reserve) { full = 1; exit }
    return 0
  }
  put(text)
  return 1
}

# Closes what a check left open.
function leave() {
  if (yaml) put("  ...")
  if (artifact != "") put("# autodiagnose artifact " artifact " is incomplete")
  yaml = 0
  artifact = ""
}

function finish_check() {
  leave()
  if (name != "" && !said && !stopped && !full) {
    share = cap
    dropping = 0
    if (print_checked("not ok " (points + 1) " - check " name " printed no result")) {
      points++
      put("  ---"); put("  check: " name); put("  id: " name "/no-result"); put("  severity: info"); put("  ...")
    }
  }
  name = ""
  after_point = broken = dropping = 0
}

function command(text) {
  if (text ~ /^say /) {
    text = substr(text, 5)
    if (text ~ /^stopped/) stopped = 1
    finish_check()
    if (text ~ /^expired/) expired = 1
    put("# autodiagnose " text)
  } else if (text ~ /^check /) {
    finish_check()
    name = substr(text, 7)
    said = 0
    share = bytes + int((cap - reserve - bytes) / 2)
    put("# check " name)
  } else {
    finish_check()
    ended = 1
    exit
  }
  fflush()
}
