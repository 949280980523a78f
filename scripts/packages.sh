#!/bin/sh
# Installs Debian packages that are not there yet: scripts/packages.sh NAME...
set -eu

missing=
for package; do
  [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || missing="$missing $package"
done
[ -n "$missing" ] || exit 0
if [ "$(id -u)" != 0 ]; then
  echo "packages: root is needed for: apt-get install$missing" >&2
  exit 1
fi
export DEBIAN_FRONTEND=noninteractive
for try in 1 2 3; do
  # shellcheck disable=SC2086 # a list of words
  apt-get -q -o DPkg::Lock::Timeout=120 update && apt-get -q -o DPkg::Lock::Timeout=120 install -y --no-install-recommends $missing && exit 0
  echo "packages: try $try failed" >&2
  sleep $((try * 5))
done
echo "packages: cannot install$missing" >&2
exit 1
