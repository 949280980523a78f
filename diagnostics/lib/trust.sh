# shellcheck shell=sh
# Which authorities the target trusts, as far as files tell; sourced by tls.sh.

# shellcheck source=diagnostics/lib/target-path.sh
. "$lib/target-path.sh"

# Where OpenSSL, Go, curl and the distributions look.
system_stores='/etc/ssl/certs/ca-certificates.crt /etc/pki/tls/certs/ca-bundle.crt /etc/ssl/ca-bundle.pem /etc/pki/tls/cacert.pem
  /etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem /etc/ssl/cert.pem /usr/local/share/certs/ca-root-nss.crt'

# Files of certificates that the target was given by its environment or arguments (SSL_CERT_FILE, NODE_EXTRA_CA_CERTS, --cacert …), and the
# authority of the cluster. Their paths are never printed.
given_stores() {
  echo /var/run/secrets/kubernetes.io/serviceaccount/ca.crt
  head -c 131072 "$proc/$target/environ" "$proc/$target/cmdline" 2>/dev/null | tr '\000' '\n' |
    awk '{ sub(/^[^\/]*[= ]/, "") } /^\/[A-Za-z0-9._\/-]+\.(pem|crt|cer|cert)$/ && n++ < 20'
}

# holds PATH PATTERN…: succeeds if the target's file of authorities holds one of these; $inside is empty if it cannot be read.
holds() {
  inside "$proc/$target/root" "$1" || return
  shift
  beginning 4194304 "$inside" | awk -f "$lib/trust.awk" -v patterns="$*"
}

# trusted PATTERN…: succeeds if one of the target's files of authorities holds the issuer that looks like this in base64, or if none can be
# read: then nothing is known. $stores becomes those of the system that were looked into, $given the number of others.
trusted() {
  stores='' given=0
  [ -n "$target" ] && [ -d "$proc/$target/root/." ] || return 0
  # A JVM has a store of its own kind.
  read -r name <"$proc/$target/comm"
  [ "$name" != java ] || return 0
  for store in $system_stores; do
    ! holds "$store" "$@" || return 0
    [ -z "$inside" ] || stores="$stores $store"
  done
  for store in $(given_stores); do
    ! holds "$store" "$@" || return 0
    [ -z "$inside" ] || given=$((given + 1))
  done
  [ -z "$stores" ] && [ "$given" = 0 ]
} 2>/dev/null
