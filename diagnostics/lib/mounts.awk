# What the target has mounted, one a line: "DEVICE TYPE MODE KIND SPACE POINT" out of mountinfo.
# DEVICE as stat prints it in decimal. MODE: rw, ro (as it was asked for), broken (asked for read-write, and the kernel has made it
# read-only). KIND: the kubelet's plugin (empty-dir, configmap, secret, projected, downward-api, csi, …); else memory, network, own (a file
# system's root), host (a directory of another one), file system of the container: root. SPACE: 1 where its space is to be looked at: one a
# device, those that the kubelet puts into /etc last; at most 60. POINT with blanks in octal. A name in brackets after it: the
# directory of the source, for what the kubelet made of a ConfigMap or Secret; /deleted after that if it is no more.
# Variable: only (a single mount point to look at, where the machine's many mounts are not the target's business).

function device(text,   part) { split(text, part, ":"); return part[2] % 256 + part[1] * 256 + int(part[2] / 256) * 1048576 }

function kind_of(type, root, point) {
  if (point == "/") return "root"
  if (root ~ /\/volumes\/kubernetes\.io~[a-z-]+\//) { sub(/.*\/volumes\/kubernetes\.io~/, "", root); sub(/\/.*/, "", root); return root }
  if (type == "tmpfs") return "memory"
  if (type ~ /^(nfs.*|cifs|smb.*|fuse.*|ceph|9p|glusterfs)$/) return "network"
  return root == "/" ? "own" : "host"
}

# The version directory of the kubelet's that a subPath was bound to, or nothing.
function version_of(root) {
  if (root !~ /\/volumes\/kubernetes\.io~(configmap|secret|projected|downward-api)\/[^\/]+\/\.\./ && root !~ /^\/\.\.[0-9][0-9][0-9][0-9]_/) return ""
  gone = root ~ /\/\/deleted$/
  if (!match(root, /\/\.\.[0-9][0-9_.]+[0-9]/)) return ""
  return substr(root, RSTART + 1, RLENGTH - 1) (gone ? "/deleted" : "")
}

{
  point = $5
  if (only != "" && point != only) next
  for (i = 7; i <= NF && $i != "-"; i++);
  type = $(i + 1)
  if (type ~ /^(proc|sysfs|cgroup2?|devpts|mqueue|devtmpfs|debugfs|securityfs|bpf|tracefs|pstore|configfs|fusectl|hugetlbfs|binfmt_misc|nsfs|autofs|rpc_pipefs|squashfs|erofs|iso9660|cramfs)$/) next
  if (point ~ /^\/(proc|sys|dev)(\/|$)/ && point != "/dev/shm") next
  writable = ("," $6 ",") ~ /,rw,/
  super = "," $(i + 3) ","
  # Newer ext4 keeps "rw" and says emergency_ro after an error, and shutdown when the device is gone; so does xfs.
  mode = !writable ? "ro" : super ~ /,(ro|emergency_ro|shutdown),/ ? "broken" : "rw"
  version = version_of($4)
  line = device($3) " " type " " mode " " kind_of(type, $4, point)
  rest = point (version == "" ? "" : " [" version "]")
  # What cannot be written cannot be full for the target.
  if (!writable && point != "/") { print line, 0, rest; next }
  if (point ~ /^\/etc\/(hosts|hostname|resolv.conf)$/) {
    if (!($3 in last)) devices[++m] = $3
    last[$3] = line " 1 " rest
    next
  }
  print line, ($3 in seen || n >= 60 ? 0 : 1), rest
  if (!($3 in seen)) { seen[$3] = 1; n++ }
}

END { for (i = 1; i <= m; i++) if (!(devices[i] in seen)) print last[devices[i]] }
