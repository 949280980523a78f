# shellcheck shell=sh
# Names looked up as a libc would; sourced by net.sh, whose $ends and share it uses.

dead='' why_dead='' half='' slowest=0 slow=''

# ask NAME: sets $answer to its addresses, IPv4 before IPv6, or to nothing with $outcome NOERROR, NXDOMAIN, SERVFAIL, another code, timeout or
# refused, and $asked to the servers and the time they took. Like a libc, asks for A and AAAA at once, and goes to the next nameserver when
# one does not answer. Unlike one, it does not ask that one again for the next name: $dead has those, $why_dead why. $half becomes a server
# that answered for one family of addresses, and for the other ($lost) not in time; $slow the one that took longest, $slowest milliseconds.
ask() {
  answer='' outcome=timeout asked=''
  for server in $nameservers; do
    case " $dead " in *" $server "*) [ "$dead " = "$nameservers" ] || continue ;; esac
    # Better to say which nameserver is silent than to be stopped; the first question is always asked.
    share 1 2
    if [ -n "$asked$trail" ] && [ $((ends - clock)) -lt 100 ]; then
      outcome=timeout asked="$asked${asked:+, }no time was left for $server"
      return
    fi
    began=$clock
    reply=$(busybox nslookup -timeout="$patience" -retry=1 "$1." "$server" 2>&1 </dev/null)
    read_clock
    took=$(((clock - began) * 10))
    asked="$asked${asked:+, }$server in $took ms"
    answer=$(printf '%s\n' "$reply" | awk '
      /^Name:/ { named = 1; next }
      named && /^Address/ { sub(/^Address[^:]*:[ \t]*/, ""); if (/:/) six = six $0 "\n"; else print }
      END { printf "%s", six }')
    if [ -n "$answer" ]; then
      outcome=NOERROR
      case $reply in
        *"an't find "*": No answer"*)
          case $answer in *[0-9].*) lost=AAAA ;; *) lost=A ;; esac
          [ "$took" -lt $((patience * 1000 - 50)) ] || half=$server
          ;;
      esac
      [ "$took" -le "$slowest" ] || slowest=$took slow=$server
      return
    fi
    case $reply in
      *"t find "*": NXDOMAIN"*) outcome=NXDOMAIN ;;
      *"t find "*": SERVFAIL"*) outcome=SERVFAIL ;;
      *"t find "*": REFUSED"*) outcome=REFUSED ;;
      *'Connection refused'*) outcome=refused ;;
      *'timed out'* | *'nreachable'*) outcome=timeout ;;
      # Of one family it said that there is none, of the other nothing.
      *"an't find "*": No answer"*) if [ "$took" -ge $((patience * 1000 - 50)) ]; then outcome=timeout; else outcome=NOERROR; fi ;;
      *) outcome=NOERROR ;;
    esac
    case $outcome in
      NOERROR | NXDOMAIN) return ;;
      timeout) dead="$dead${dead:+ }$server" why_dead="$why_dead${why_dead:+, }$server timed out" ;;
      refused) dead="$dead${dead:+ }$server" why_dead="$why_dead${why_dead:+, }$server refuses" ;;
    esac
  done
}

# Reads resolv.conf: $nameservers, $search, $ndots. These and addresses of the hosts file are split: nothing in them may be a pattern of files.
read_resolv() {
  resolv=$(target_file /etc/resolv.conf)
  nameservers=$(awk '$1 == "nameserver" && $2 ~ /^[0-9A-Za-z:][0-9A-Za-z.:%_-]*$/ && n++ < 3 { printf "%s ", $2 }' "$resolv" 2>/dev/null)
  search=$(awk '$1 == "search" || $1 == "domain" { sub(/^[a-z]+[ \t]+/, ""); gsub(/[^A-Za-z0-9._ \t-]/, "_"); last = $0 } END { print last }' "$resolv" 2>/dev/null)
  ndots=$(awk '$1 == "options" { for (i = 2; i <= NF; i++) if ($i ~ /^ndots:[0-9]+$/) n = substr($i, 7) } END { if (n == "") n = 1; if (n + 0 > 15) n = 15; print n + 0 }' "$resolv" 2>/dev/null)
  ndots=${ndots:-1} nameservers=${nameservers:-127.0.0.1}
}

# resolve NAME: sets $addresses (one a line) and $outcome as `ask` does, and $trail: what was asked, one a line. Asks as a libc
# does: the hosts file, then the search path, by ndots.
resolve() {
  addresses='' trail='' outcome=NOERROR
  case $1 in
    *:* | *[0-9].*[0-9].*[0-9].*[0-9])
      if vet "$1" || [ "$refused" != "not an address" ]; then
        addresses=$1
        return 0
      fi
      ;;
  esac
  addresses=$(awk -v name="$1" '{ sub(/#.*/, ""); if ($1 !~ /^[0-9A-Fa-f:][0-9A-Za-z.:%_-]*$/) next; for (i = 2; i <= NF; i++) if (tolower($i) == tolower(name)) { if (!seen[$1]++) print $1; break } }' "$(target_file /etc/hosts)" 2>/dev/null)
  if [ -n "$addresses" ]; then
    trail="$1: hosts file"
    return 0
  fi
  read_resolv
  dots=$(printf %s "$1" | tr -cd . | wc -c)
  candidates=''
  case $1 in
    *.) candidates=${1%.} ;;
    *)
      for domain in $search; do candidates="$candidates $1.${domain%.}"; done
      if [ "$dots" -ge "$ndots" ]; then candidates="$1 $candidates"; else candidates="$candidates $1"; fi
      ;;
  esac
  worst=''
  for candidate in $candidates; do
    ask "$candidate"
    trail="$trail$candidate: $(printf %s "${answer:-$outcome}" | tr '\n' ' ') (asked $asked)
"
    addresses=$answer
    [ -z "$addresses" ] || return 0
    case $outcome in
      timeout | refused) return 1 ;;
      SERVFAIL | REFUSED) worst=$outcome ;;
      # The name exists there, without an address: that a later candidate does not exist says less.
      NOERROR) worst=${worst:-NOERROR} ;;
    esac
  done
  outcome=${worst:-$outcome}
  return 1
}

# Succeeds if the text can be the name of a host; numbers in the many spellings that inet_aton knows cannot.
host_name() {
  case $1 in '' | -* | .* | *..* | *[!A-Za-z0-9._-]*) return 1 ;; esac
  [ "${#1}" -le 253 ] || return 1
  case ${1##*.} in *[!0-9]*) ;; '') ;; *) return 1 ;; esac
  case ${1##*.} in 0[xX]*) return 1 ;; esac
}

# The finding about a name that was not resolved; $1 the name, after resolve has failed.
unresolved() {
  servers=${nameservers% }
  case $outcome in
    NXDOMAIN) finding "$1/nxdomain" error "DNS name $1 does not exist (NXDOMAIN)" "no service or record of this name in the search path; it may be misspelt, in another namespace, or deleted" \
      "compare the name with the services of the namespace it names" "$trail" ;;
    NOERROR) finding "$1/no-address" error "DNS name $1 exists but has no address" "the record is of another type, or a headless service has no ready pod" "look at the endpoints of the service" "$trail" ;;
    timeout) finding "nameserver/timeout" error "DNS name $1 was not resolved: nameserver $servers does not answer (timed out)" \
      "the nameserver in resolv.conf is wrong or down, or a network policy drops DNS" "compare the nameserver with the cluster's DNS service; look at dnsPolicy and dnsConfig of the pod" "$trail" ;;
    refused) finding "nameserver/refused" error "DNS name $1 was not resolved: nameserver $servers refuses connections" \
      "no nameserver listens at the address in resolv.conf" "compare the nameserver with the cluster's DNS service" "$trail" ;;
    *) finding "$1/$(printf %s "$outcome" | tr 'A-Z' 'a-z')" error "DNS name $1 was not resolved: nameserver $servers answers $outcome" \
      "the nameserver is there but cannot or will not answer for this name" "look at the logs of the cluster's DNS" "$trail" ;;
  esac
}

# reverse ADDRESS: prints the name that the first nameserver has for it, or nothing; takes at most a second.
reverse() {
  busybox nslookup -timeout=1 -retry=1 "$1" "${nameservers%% *}" 2>/dev/null </dev/null | awk '
    sub(/.*in-addr\.arpa[ \t]+name = /, "") && /^[A-Za-z0-9._-]+$/ { sub(/\.$/, ""); print; exit }'
}
