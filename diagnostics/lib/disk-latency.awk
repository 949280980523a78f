# What two looks at /proc/diskstats say. Input: the mounts (see mounts.awk), "before", diskstats, "after", diskstats.
# Variable: seconds between them. Prints "DEVICE POINT what numbers…" lines, one a device that the target has something on:
#   NAME POINT WRITES MS-A-WRITE READS MS-A-READ FLUSHES MS-A-FLUSH BUSY-PERCENT IN-FLIGHT

$0 == "before" || $0 == "after" { part = $0; next }

part == "" {
  # As stat has it: minor in the low byte and from the 20th bit on, major between.
  high = int($1 / 1048576)
  rest = $1 - high * 1048576
  device = int(rest / 256) ":" (rest % 256 + high * 256)
  # The container's own root lies on the disk of the files that the kubelet puts into /etc.
  if (!(device in point)) point[device] = $6 ~ /^\/etc\/(hosts|hostname|resolv.conf)$/ ? "/" : $6
  next
}

part == "before" { for (i = 4; i <= NF; i++) old[$1 ":" $2, i] = $i; next }

($1 ":" $2) in point && (($1 ":" $2), 4) in old {
  device = $1 ":" $2
  writes = $8 - old[device, 8]
  reads = $4 - old[device, 4]
  flushes = $19 - old[device, 19]
  print $3, point[device], writes, each($11 - old[device, 11], writes), reads, each($7 - old[device, 7], reads), flushes, each($20 - old[device, 20], flushes), int(($13 - old[device, 13]) / seconds / 10), $12 + 0
}

# Whole milliseconds, rounded up.
function each(ms, count) { return count > 0 ? int((ms + count - 1) / count) : 0 }
