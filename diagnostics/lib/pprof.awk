# Asks a pprof server for its goroutines, and tells on stderr what there is of them: "status CODE", "total N", then the largest groups, each a
# line "group COUNT FUNCTION FILE:LINE|FUNCTION FILE:LINE…" of at most 12 frames; with the argument "heap" the same of bytes in use, with
# "index" only "count N", the number of goroutines by the page that lists the profiles, for which no stack is collected.
# stdin and stdout are the connection. Reads at most 4000 lines, of which the first groups are the largest.

function tell(text) { gsub(/[^ -~]/, "?", text); print substr(text, 1, 2000) > "/dev/stderr" }
function finish() { if (group != "" && told++ < most) tell(group (frames == "" ? " -" : frames)); group = frames = ""; count = 0 }

BEGIN {
  what = ARGV[1]
  ARGC = 1
  # Goroutines come sorted, the largest group first; bytes do not.
  most = what == "heap" ? 300 : 15
  printf "GET /debug/pprof/%s HTTP/1.0\r\nHost: localhost\r\nUser-Agent: autodiagnose\r\nAccept: */*\r\nConnection: close\r\n\r\n", (what == "index" ? "" : what "?debug=1")
  fflush()
  for (n = 0; n < 4000 && told < most && (getline line) > 0; n++) {
    sub(/\r$/, "", line)
    if (n == 0) { if (line !~ /^HTTP\/[0-9.]+ [0-9][0-9][0-9]/) { tell("no HTTP"); exit } sub(/^HTTP\/[0-9.]+ /, "", line); tell("status " substr(line, 1, 3)); if (line !~ /^200/) exit; continue }
    if (!body) { body = line == ""; continue }
    if (what == "index") {
      # A row is "<td>5</td><td><a href='goroutine?debug=1'>", in older versions without </td>.
      if (match(line, /<td[^>]*>[0-9]+(<\/td>)?<td><a href=.?goroutine\?debug=1/)) { line = substr(line, RSTART); sub(/^<td[^>]*>/, "", line); tell("count " line + 0); exit }
      continue
    }
    if (!total) {
      # Of another server that answers 200 for any path nothing is printed.
      if (what != "heap" && line ~ /^goroutine profile: total [0-9]+$/ || what == "heap" && line ~ /^heap profile: [0-9]+: [0-9]+ /) {
        total = 1
        split(line, part, " ")
        tell(what == "heap" ? "total " part[4] + 0 : "total " part[4])
        continue
      }
      tell("no pprof")
      exit
    }
    if (line ~ /^[0-9]+(: [0-9]+ \[[0-9]+: [0-9]+\])? @/) {
      finish()
      split(line, part, " ")
      group = "group " (what == "heap" ? part[2] + 0 : part[1]) " "
    } else if (line ~ /^#\t0x/ && ++count <= 12) {
      fields = split(line, part, "\t")
      sub(/\+0x[0-9a-f]+$/, "", part[3])
      file = part[fields]
      sub(/.*\//, "", file)
      frames = frames (frames == "" ? "" : "|") part[3] " " file
    } else if (line ~ /^# runtime\.MemStats/) break
  }
  finish()
}
