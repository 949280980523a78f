# What Go's linker wrote into a program: "go VERSION", "path PACKAGE", "mod MODULE VERSION". Reads the ELF header, the table of sections and at most
# 2 KiB of the section .go.buildinfo, by `od`; of a program without that section, or of Go before 1.18, nothing or only "go".
# Variable: file.

# $bytes[1…] become the bytes at the offset.
function read_bytes(offset, count,   command, text, part, i, n, total) {
  command = "busybox od -An -v -tu1 -j " sprintf("%.0f", offset) " -N " count " '" file "' 2>/dev/null"
  total = 0
  while ((command | getline text) > 0) {
    n = split(text, part, " ")
    for (i = 1; i <= n; i++) bytes[++total] = part[i]
  }
  close(command)
  return total
}
function little(at, size,   value) { for (value = 0; size > 0; size--) value = value * 256 + bytes[at + size - 1]; return value }
# The string at $at, which begins with its length in base 128; $at moves behind it.
function counted(   size, factor, text, end) {
  size = 0
  factor = 1
  for (; bytes[at] >= 128; at++) { size += (bytes[at] - 128) * factor; factor *= 128 }
  size += bytes[at++] * factor
  text = ""
  for (end = at + size; at < end && at <= total; at++) text = text (bytes[at] == 10 || bytes[at] >= 32 && bytes[at] < 127 || bytes[at] == 9 ? sprintf("%c", bytes[at] + 0) : "?")
  return text
}

BEGIN {
  if (read_bytes(0, 64) < 64 || bytes[1] != 127 || bytes[2] != 69 || bytes[5] != 2 || bytes[6] != 1) exit
  sections = little(41, 8)
  size = little(59, 2)
  count = little(61, 2)
  if (size != 64 || count < 1 || count > 100 || read_bytes(sections, size * count) < size * count) exit
  # It begins with these 14 bytes; of writable data sections it is the one of that kind.
  magic = "255 32 71 111 32 98 117 105 108 100 105 110 102 58"
  for (i = 0; i < count; i++) if (little(i * 64 + 5, 4) == 1 && little(i * 64 + 9, 8) % 4 >= 2 && little(i * 64 + 33, 8) >= 32) offsets[++n] = little(i * 64 + 25, 8)
  for (i = 1; i <= n && i <= 40; i++) {
    total = read_bytes(offsets[i], 16)
    found = ""
    for (at = 1; at <= 14; at++) found = found (at > 1 ? " " : "") bytes[at]
    if (found != magic) continue
    if (int(bytes[16] / 2) % 2 == 0) { print "go"; exit }
    total = read_bytes(offsets[i] + 32, 2048)
    at = 1
    version = counted()
    gsub(/[^A-Za-z0-9.:+ -]/, "", version)
    print "go " substr(version, 1, 60)
    n = split(counted(), line, "\n")
    for (i = 1; i <= n; i++) {
      split(line[i], field, "\t")
      if (line[i] ~ /path\t/) print "path " field[2]
      else if (line[i] ~ /^mod\t/) { print "mod " field[2] " " field[3]; exit }
    }
    exit
  }
}
