# Reads a chunked body up to its last chunk. Where the input ends before, says so on stderr: if nothing came for all but the first second, or
# with "cut". Whether the input was at its end, or only at the bound of what is read, is not known here.

function now(   text) {
  getline text < "/proc/uptime"
  close("/proc/uptime")
  return text + 0
}

BEGIN {
  began = last = before = now()
  left = -1
  while ((getline text) > 0) {
    lines++
    count += length(text) + 1
    before = last
    if (lines < 200 || left < 0) last = now()
    if (left >= 0) {
      left -= length(text) + 1
      if (left <= 0) left = -1
      continue
    }
    sub(/[\r;].*/, "", text)
    if (text !~ /^[0-9A-Fa-f]+$/ || length(text) > 7) exit
    size = 0
    for (i = 1; i <= length(text); i++) size = size * 16 + index("0123456789abcdef", tolower(substr(text, i, 1))) - 1
    if (!size) exit
    sent += size
    # The line break after the chunk, too.
    left = size + 2
  }
  # A line that is not whole is only seen at the end, and came before.
  if (left >= 0) last = before
  # Many small pieces, or the bound of bytes: it goes on.
  stalled = last - began < 1 && now() - last >= 1
  if (count < 262144) print "body " sent - (left > 2 ? left - 1 : 0) " bytes, chunked" (stalled ? "" : ", cut") > "/dev/stderr"
}
