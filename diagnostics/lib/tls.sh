# shellcheck shell=sh
# What a server shows of itself in TLS; sourced by http, whose variables it uses.

# shellcheck source=diagnostics/lib/trust.sh
. "$lib/trust.sh"

# A day as people write it, of 20261122210000.
day() { printf '%s' "$1" | awk '{ print substr($0, 1, 4) "-" substr($0, 5, 2) "-" substr($0, 7, 2) " " substr($0, 9, 2) ":" substr($0, 11, 2) " UTC" }'; }

# The seconds before its end from which on a certificate should have been renewed: a tenth of its time, at most a week. Some live for a day.
notice() {
  from=$(busybox date -u -d "$(day "$1" | cut -c 1-16)" +%s) until=$(busybox date -u -d "$(day "$2" | cut -c 1-16)" +%s)
  tenth=$(((until - from) / 10))
  if [ "$tenth" -lt 604800 ]; then echo "$tenth"; else echo 604800; fi
}

# True if one of the names in $names is for the host; a star stands for one label.
# Upper case and a final dot make no other name.
named() {
  wanted=$(printf %s "${host%.}" | tr 'A-Z' 'a-z')
  for name in $(printf %s "$names" | tr 'A-Z' 'a-z'); do
    name=${name%.}
    [ "$name" != "$wanted" ] || return 0
    case $name in '*.'*) [ "${wanted#*.}" != "${name#'*.'}" ] || return 0 ;; esac
  done
  return 1
}

# Prints what the server shows in TLS, within so many seconds: see certificate.awk. Who it is is not known: what it sends is cut, and none
# of those who read it may grow.
greet() {
  (
    # busybox and dash have this limit.
    # shellcheck disable=SC3045
    ulimit -S -v 16384
    within "$1" busybox nc -w 3 "$address" "$port" -e busybox sh "$lib/certificate.sh" "$host" 2>&1 | head -c 131072 | awk -f "$lib/der.awk" -f "$lib/certificate.awk"
  )
}

# Succeeds where a server that was asked without TLS speaks it: the finding then says all.
wants_tls() {
  [ "$scheme" = http ] && [ "$took" -lt $((waited * 1000 - 50)) ] || return
  case $code in '') case $reply in *connected*) ;; *) return 1 ;; esac ;; 400) ;; *) return 1 ;; esac
  read_clock
  [ $((ends - clock)) -ge 100 ] || return
  share 1 2
  case $(greet "$patience") in *'valid '*) ;; *) return 1 ;; esac
  finding "$id/wants-tls" error "GET $shown fails: $host port $port speaks TLS, the URL says http${first:+ (answered $first)}" \
    "the URL has the wrong scheme, or the wrong port" "try https://, or the port for plain HTTP" "$evidence"
}

# judge_certificate: looks at the certificate before anything is asked. Fails when its finding says all; sets $certificate to what
# there is to say of a good one, and $silent where the server took the connection and said nothing: asking it would take as long again.
judge_certificate() {
  certificate='' silent='' asks=''
  begun=$(greet "$patience")
  read_clock
  to_greet=$(((clock - began) * 10))
  case $begun in
    connected*nothing) [ $((clock - began)) -lt $((patience * 100 - 5)) ] || silent=1 ;;
  esac
  begun=${begun#connected?}
  names=$(printf '%s\n' "$begun" | sed -n 's/^names //p')
  issuer=$(printf '%s\n' "$begun" | sed -n 's/^issuer //p')
  chain=$(printf '%s\n' "$begun" | sed -n 's/^chain //p')
  trust=$(printf '%s\n' "$begun" | sed -n 's/^trust //p')
  facts="certificate of $address:$port
$(printf '%s\n' "$begun" | grep -v '^trust ')"
  case $begun in
    valid*)
      set -f
      # shellcheck disable=SC2046
      set -- $(printf '%s\n' "$begun" | head -n 1)
      now=$(date -u +%Y%m%d%H%M%S)
      soon=$(date -u -d "@$(($(date +%s) + $(notice "$2" "$3")))" +%Y%m%d%H%M%S)
      if [ "$3" -lt "$now" ]; then
        finding "$id/certificate-expired" error "GET $shown fails: the certificate of $host has expired on $(day "$3")" "it was not renewed, or the server was not restarted after it was" \
          "renew it; look at what should have done so (cert-manager, a job)" "$facts"
        return 1
      fi
      if [ "$2" -gt "$now" ]; then
        finding "$id/certificate-not-yet-valid" error "GET $shown fails: the certificate of $host is not valid before $(day "$2")" "a clock is wrong, here or where it was made" "compare the clocks" "$facts"
        return 1
      fi
      if [ -n "$names" ] && ! named; then
        line "$names"
        finding "$id/certificate-name" warn "the certificate of $host is for $text, not for this name" "another server answers here, or it is called by a name that it was not made for" "compare the name in the URL with the certificate" "$facts"
      fi
      [ "$3" -gt "$soon" ] || finding "$id/certificate-expires" warn "the certificate of $host expires soon, on $(day "$3")" "it was not renewed yet" "renew it" "$facts"
      certificate="certificate valid until $(day "$3"), its issuer is not verified"
      case $begun in
        *'
version '*)
          version=${begun##*'
version '}
          version=${version%%'
'*}
          finding "$id/tls-version" warn "GET $shown fails with clients of today: $host port $port speaks $version at most, and they want TLS 1.2 or newer" \
            "the server, or its TLS library, is old, or is told to use no newer version" "let the server speak TLS 1.2 and 1.3" "$facts"
          return 1
          ;;
      esac
      case $begun in *'
asks'*) asks=1 certificate="$certificate, it asks for a certificate of its client" ;; esac
      judge_chain
      ;;
    *'no TLS'*)
      finding "$id/no-tls" error "GET $shown fails: $host port $port does not speak TLS" "the URL says https where the server speaks something else" "try http:// or another port" "$facts"
      return 1
      ;;
  esac
}

# What there is to say of those who issued the certificate. Private authorities are as good as others: none is an error by itself.
judge_chain() {
  line "$issuer"
  issuer=$text
  line "$chain"
  echo "# certificate of $host: issued by $issuer, chain $text"
  case $chain in
    broken* | incomplete*)
      finding "$id/certificate-chain" warn "the chain of certificates of $host is $text: clients that do not know the issuers between cannot verify it" \
        "the server sends its own certificate without, or with other, intermediate ones" "let the server send the whole chain (fullchain) in order" "$facts"
      return
      ;;
  esac
  # shellcheck disable=SC2086
  ! trusted $trust || return 0
  case $chain in self-signed) by="self-signed" ;; *) by="issued by \"$issuer\"" ;; esac
  finding "$id/certificate-issuer" info "the certificate of $host is $by, an unknown authority: the target's files of trusted authorities do not hold it${asks:+; and it asks for a client certificate (mutual TLS)}" \
    "a private authority, or another server than meant; the target may trust it in a way that is not seen here" "compare the issuer with the authorities that the target is given" \
    "looked into:$stores and $given given by environment, arguments or the cluster
$facts"
}
