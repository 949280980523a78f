# shellcheck shell=sh
# Names and addresses, for the checks that talk to others; sourced after check.sh.

# Better to say that nothing was answered than to be stopped: whatever a check asks shares the time that it has, less a second.
read_clock
ends=$((clock + (${4:-10} - 1) * 100))

# share PARTS MOST: $patience becomes that part of the seconds that are left, at least 1.
share() {
  read_clock
  patience=$(((ends - clock) / 100 / $1))
  [ "$patience" -le "$2" ] || patience=$2
  [ "$patience" -ge 1 ] || patience=1
}

# The URL without what may be secret: user info, values of the query, the fragment.
mask_url() {
  printf %s "$1" | tr '\000-\037\177' '?' | awk '{
    url = $0
    sub(/#.*/, "", url)
    query = ""
    if (match(url, /\?/)) { query = substr(url, RSTART + 1); url = substr(url, 1, RSTART - 1) }
    if (match(url, /^[A-Za-z][A-Za-z0-9+.-]*:\/\//)) { scheme = substr(url, 1, RLENGTH); url = substr(url, RLENGTH + 1) } else scheme = ""
    slash = index(url, "/")
    host = slash ? substr(url, 1, slash - 1) : url
    path = slash ? substr(url, slash) : ""
    if (match(host, /.*@/)) host = "***@" substr(host, RLENGTH + 1)
    if (query != "") {
      n = split(query, pair, "&")
      query = "?"
      for (i = 1; i <= n; i++) { name = pair[i]; query = query (i > 1 ? "&" : "") (sub(/=.*/, "=***", name) ? name : "***") }
    }
    print scheme host path query
  }'
}

# vet ADDRESS: succeeds if one may connect to it; otherwise tells why not in $refused. The container has the identity of the pod, and these
# addresses would give it more: link-local ones, and those of cloud metadata services. With the word "others" as second argument, neither to
# the pod itself: 0.0.0.0/8, 127.0.0.0/8, ::, ::1.
vet() {
  refused=$(printf '%s\n' "$1" | awk -v others="$2" '
    function hex(text,   i, value) { value = 0; for (i = 1; i <= length(text); i++) value = value * 16 + index("0123456789abcdef", substr(text, i, 1)) - 1; return value }
    function v4(a, b, c, d) {
      if (a == 169 && b == 254) return "a link-local address, as of cloud metadata services"
      if (others == "others" && (a == 0 || a == 127)) return "an address of the pod itself"
      if (a >= 224 && a <= 239) return "a multicast address"
      if ((a "." b "." c "." d) ~ /^(100\.100\.100\.200|192\.0\.0\.192|168\.63\.129\.16)$/) return "the address of a cloud metadata service"
      return ""
    }
    {
      text = tolower($0)
      if (text ~ /^[0-9]+\.[0-9]+\.[0-9]+\.[0-9]+$/) {
        split(text, o, ".")
        for (i = 1; i <= 4; i++) if (o[i] > 255 || o[i] ~ /^0./ || length(o[i]) > 3) { print "not an address"; exit }
        print v4(o[1], o[2], o[3], o[4])
        exit
      }
      if (text !~ /^[0-9a-f:.]+$/ || text !~ /:.*:/) { print "not an address"; exit }
      if (match(text, /[0-9]+\.[0-9]+\.[0-9]+\.[0-9]+$/)) { # ::ffff:1.2.3.4
        split(substr(text, RSTART), o, ".")
        text = substr(text, 1, RSTART - 1) sprintf("%x:%x", o[1] * 256 + o[2], o[3] * 256 + o[4])
      }
      if (text ~ /\./) { print "not an address"; exit }
      gap = index(text, "::")
      if (gap) {
        left = split(substr(text, 1, gap - 1), l, ":")
        right = split(substr(text, gap + 2), r, ":")
      } else { left = split(text, l, ":"); right = 0 }
      if (left + right > 8 || !gap && left != 8) { print "not an address"; exit }
      for (i = 1; i <= 8; i++) g[i] = i <= left ? hex(l[i]) : i > 8 - right ? hex(r[i - 8 + right]) : 0
      if (g[1] >= 65152 && g[1] <= 65215) { print "a link-local address"; exit } # fe80::/10
      if (g[1] >= 65280) { print "a multicast address"; exit } # ff00::/8
      # fd00:ec2::/32 of AWS, fd00:c1::a9fe:a9fe of Oracle, fd00:42::42 of Scaleway
      if (g[1] == 64768 && (g[2] == 3778 || g[2] == 193 && g[7] == 43518 && g[8] == 43518 || g[2] == 66 && g[8] == 66)) { print "the address of a cloud metadata service"; exit }
      if (g[1] == 64800 && g[2] == 206 && g[8] == 596) { print "the address of a cloud metadata service"; exit } # fd20:ce::254
      if (g[1] == 8194) { print v4(int(g[2] / 256), g[2] % 256, int(g[3] / 256), g[3] % 256); exit } # 6to4
      # IPv4 inside of IPv6: mapped, compatible, translated (SIIT), NAT64
      if (g[1] + g[2] + g[3] + g[4] == 0 && (g[5] == 0 && (g[6] == 65535 || g[6] == 0) || g[5] == 65535 && g[6] == 0) || g[1] == 100 && g[2] == 65435) {
        print v4(int(g[7] / 256), g[7] % 256, int(g[8] / 256), g[8] % 256)
      }
    }')
  [ -z "$refused" ]
}

# split_host_port TEXT [PORT]: $host and $port become its parts; $port the second argument where the text has none, and empty where it is
# no number.
split_host_port() {
  case $1 in
    '['*']':* | *[!:]:*[0-9]) host=${1%:*} port=${1##*:} ;;
    *) host=$1 port=$2 ;;
  esac
  case ${host#'['} in *:*:*) case $host in '['*) ;; *) host=$1 port=$2 ;; esac ;; esac
  host=${host#'['} host=${host%']'}
  case $port in '' | *[!0-9]* | ??????*) port='' ;; esac
}

# A file of the target's where it is visible, else our own: the kubelet gives both the same.
target_file() {
  if [ -n "$target" ] && { [ -f "$proc/$target/root$1" ] || [ -d "$proc/$target/root$1" ]; } && [ -r "$proc/$target/root$1" ]; then echo "$proc/$target/root$1"; else echo "$1"; fi
}

# Succeeds if the network is the node's: it has the other ends of its pods' interfaces, by the names that network plugins give them.
host_network() { grep -Eq '^ *(veth|cali|cni|lxc|cilium_|docker|flannel|ovn-k8s|genev|antrea|weave|br-|azv|gke|eni[0-9a-f]{8,})' "$1/dev" 2>/dev/null; }

# Succeeds if the host is the pod itself by the way it is written, without asking a nameserver.
loopback() {
  case $1 in [Ll][Oo][Cc][Aa][Ll][Hh][Oo][Ss][Tt] | *.[Ll][Oo][Cc][Aa][Ll][Hh][Oo][Ss][Tt]) return 0 ;; esac
  vet "$1" && ! vet "$1" others
}

# connect PORT RESERVE: $address becomes the first of $addresses that takes a connection, tried one after the other as by a client, 3 s for a
# single one, 2 s for each of several, as long as RESERVE seconds are left. $failed becomes those before it with their reasons, $failures
# their number. Where none does it fails: $said tells why, refusals before silence before no route, whatever their order, and $address is
# that one; in the pod itself silence first, for something listens there. Of several, all with their reasons.
connect() {
  address='' failed='' failures=0 total=0 telling=0 most=3
  for one in $addresses; do total=$((total + 1)); done
  [ "$total" = 1 ] || most=2
  for one in $addresses; do
    share 1 "$most"
    if [ "$failures" -gt 0 ] && [ $((ends - clock)) -lt $(((most + $2) * 100)) ]; then
      failed="$failed, no time for the others"
      break
    fi
    reply=$(busybox nc -w "$patience" "$one" "$1" -e busybox true 2>&1 </dev/null)
    status=$?
    case $status-$reply in
      0-*)
        address=$one
        return 0
        ;;
      *refused*) reason=refused rank=3 ;;
      *nreachable* | *'No route'* | *'assign requested'*) reason=unreachable rank=1 ;;
      *)
        reason="timed out" rank=2
        # localhost is often ::1 as well, where nothing listens: who listens and is silent tells more.
        case $one in 127.0.0.1 | ::1) rank=4 ;; esac
        ;;
    esac
    failures=$((failures + 1))
    failed="$failed${failed:+, }$one $reason"
    [ "$rank" -le "$telling" ] || { telling=$rank address=$one said=$reply; }
  done
  [ "$total" = 1 ] || address="$total addresses: $failed"
  return 1
}

# about_failure HOST PORT: prints what makes a failed connection likely, as the end of a sentence; nothing if there is nothing to say.
about_failure() {
  case $trail in *'hosts file'*) loopback "$1" || printf %s '; its address is from the hosts file (hostAliases of the pod)' ;; esac
  case $failed in *' timed out'*) ! loopback "$1" || printf %s '; in the pod itself rather: a program listens there and accepts no connection, and its queue is full' ;; esac
  ! no_default_route || printf %s '; the pod has no default route'
  other_ports "$1" "$2"
}

# Succeeds if the pod is seen to have no default route, of either family.
no_default_route() {
  [ -r "$proc/${target:-self}/net/route" ] || return
  # The kernel lists a default route of IPv6 by lo, which rejects, where there is none.
  cat "$proc/${target:-self}/net/route" "$proc/${target:-self}/net/ipv6_route" 2>/dev/null |
    awk '(length($1) == 32 ? ($1 $2) ~ /^0+$/ && $NF != "lo" : $2 == "00000000" && $8 == "00000000") { found = 1 } END { exit found }'
}

# other_ports HOST PORT: prints in words the ports that the service of that name has, by the names of the environment variables that the
# kubelet gives the target for each service of its namespace, if this is none of them.
other_ports() {
  case $1 in *.* | *:*) return ;; esac
  [ -n "$target" ] || return
  service=$(printf %s "$1" | tr 'a-z-' 'A-Z_')
  head -c 131072 "$proc/$target/environ" 2>/dev/null | tr '\000' '\n' | awk -v service="$service" -v port="$2" '
    !/=/ || !sub(/_TCP_PORT=.*/, "") || !sub("^" service "_PORT_", "") || /[^0-9]/ { next }
    { if ($0 == port) known = 1; list = list (list == "" ? "" : ", ") $0 }
    END { if (list != "" && !known) printf "; the service has port %s, not %s", list, port }'
}

# True if it is the pod itself that listens for others by IPv6 and not by IPv4, which it has.
six_only() {
  loopback "$1" || return 1
  case $failed-$address in '127.0.0.1 refused-::1') ;; *) return 1 ;; esac
  awk -v port="$(printf %04X "${id##*:}")" '
    FILENAME ~ /route$/ { if (FNR > 1 && $1 != "lo") four = 1; next }
    $2 == "00000000000000000000000000000000:" port && $4 == "0A" { found = 1 }
    END { exit !(four && found) }' "$proc/${target:-self}/net/route" "$proc/${target:-self}/net/tcp6" 2>/dev/null
}

# After connect: the finding ID that addresses of the host $1 failed before one did not, once. A client may be given these first, or
# no other.
some_failed() {
  [ -n "$failed" ] && [ -z "$warned" ] || return 0
  # Where the pod has no route for one family of addresses, its clients use the other.
  case $failed in
    *refused* | *'timed out'*) ;;
    *)
      case $address in *:*) family=: ;; *) family=. ;; esac
      case $failed in *"$family"*) ;; *) return 0 ;; esac
      ;;
  esac
  warned=1
  if six_only "$1"; then
    finding "$id/some-addresses" error "port ${id##*:} of the pod is listened on for IPv6 only: ::1 answers and 127.0.0.1 refuses, as the pod's own IPv4 address does" \
      "the server listens on [::] with IPV6_V6ONLY, or the system has net.ipv6.bindv6only" "let it listen on 0.0.0.0, or on [::] for both" "$failed, $address connected"
    return 0
  fi
  finding "$id/some-addresses" warn "$failures of $total addresses of $1 failed on port $port before $address answered: $failed" \
    "behind these addresses no server is ready, or not on this port; clients fail or lose time when they get them first" \
    "compare the addresses with the endpoints of the service and the pods that are ready" "$failed, $address connected"
}

# need busybox: skips the check where it is missing.
need_busybox() {
  command -v busybox >/dev/null 2>&1 && return
  skip "$1" "busybox is missing here; on Debian: apt-get install busybox-static"
  exit
}

# shellcheck source=diagnostics/lib/names.sh
. "$lib/names.sh"
