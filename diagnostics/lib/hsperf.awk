# Counters of a HotSpot JVM, from the file that it maps into memory for jstat: "USED MOST TICKS FREQUENCY", of the old generation its bytes and
# the most that it may have, of the garbage collectors the time since the start and what it is counted in. Nothing for collectors without generations.
# Input: the file's bytes as od -tu1 prints them. They are read in one pass, an entry at a time, for they would take megabytes as an array.

function little(from, size,   value) { for (value = 0; size > 0; size--) value = value * 256 + entry[from + size - 1]; return value }
function text(from,   out) { for (out = ""; entry[from] > 0 && length(out) < 80; from++) out = out sprintf("%c", entry[from] + 0); return out }
# An entry: its length, offset of its name, length if it is a vector, type, flags, unit, kind, offset of its value.
function take(   name) {
  if (entry[12] != 74 || little(8, 4) != 0) return
  name = text(little(4, 4))
  if (name ~ /^sun\.gc\.collector\.[0-9]+\.time$/) { ticks += little(little(16, 4), 8); seen++ }
  else if (name == "sun.gc.generation.1.space.0.used") used = little(little(16, 4), 8)
  else if (name == "sun.gc.generation.1.maxCapacity") most = little(little(16, 4), 8)
  else if (name == "sun.os.hrt.frequency") frequency = little(little(16, 4), 8)
}

{
  for (i = 1; i <= NF && !done; i++) {
    byte = $i
    at++
    if (!body) {
      entry[filled++] = byte
      if (filled < 32) continue
      # CAFEC0C0, little-endian numbers.
      if (entry[0] != 202 || entry[1] != 254 || entry[2] != 192 || entry[3] != 192 || entry[4] != 1) exit
      begin = little(24, 4)
      left = little(28, 4)
      body = 1
      filled = 0
      continue
    }
    if (at <= begin) continue
    entry[filled++] = byte
    if (filled == 4) { size = little(0, 4); if (size < 20 || size > 8192) exit }
    if (filled < 4 || filled < size) continue
    take()
    filled = 0
    if (--left <= 0) done = 1
  }
}
END { if (seen && most && frequency) printf "%.0f %.0f %.0f %.0f\n", used, most, ticks, frequency }
