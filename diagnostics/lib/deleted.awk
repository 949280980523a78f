# Files that are deleted and still open, by mount point. Input: the mounts (see mounts.awk), a line "files", then lines
# "device inode blocks block-size pid fd target-of-the-link". Prints "bytes files largest-pid point" a mount point.

function point_of(path, device,   i, best, length_of) {
  best = ""
  for (i = 1; i <= n; i++) {
    length_of = length(point[i])
    if (point[i] != "/" && substr(path, 1, length_of + 1) != point[i] "/" && path != point[i]) continue
    if (best == "" || length_of > length(best)) best = point[i]
  }
  return best
}

$0 == "files" { listed = 1; next }

!listed { point[++n] = $6; next }

{
  path = $0
  for (i = 0; i < 6; i++) sub(/^[^ ]+ /, "", path)
  # Shared memory has no path, and lies on no volume.
  if (path !~ /^\// || path ~ /^\/(memfd:|SYSV|dev\/zero|\[)/) next
  if (($1 " " $2) in counted) next
  counted[$1 " " $2] = 1
  where = point_of(path, $1)
  if (where == "") next
  size = $3 * $4
  bytes[where] += size
  files[where]++
  if (size > largest[where]) { largest[where] = size; pid[where] = $5 }
}

END { for (where in bytes) printf "%.0f %d %s %s\n", bytes[where], files[where], pid[where], where }
