#!/usr/bin/env bash
# Builds the diagnostic image and the service's own, and brings both onto the lab's node. With words, also the diagnostic images that
# have tools: net, debug, jvm, or all of them.
set -euo pipefail
cd "$(dirname "$0")/.."

toolsets=("$@")
[[ ${1:-} != all ]] || toolsets=(net debug jvm)
for toolset in "${toolsets[@]}"; do
  [[ $toolset =~ ^(net|debug|jvm)$ ]] || { echo "Cannot build \"$toolset\": name net, debug, jvm or all" >&2 && exit 2; }
done

# Of all files and of the image itself, so that what is built of the same is the same: the time of the last commit.
epoch=$(git log -1 --format=%ct -- diagnostics 2>/dev/null) || epoch=0
diagnostics() { # TARGET TAG
  test/lab/lab image diagnostics "$2" --target "$1" --timestamp "${epoch:-0}" --build-arg "SOURCE_DATE_EPOCH=${epoch:-0}"
}

diagnostics core localhost/autodiagnose:1
for toolset in "${toolsets[@]}"; do diagnostics "$toolset" "localhost/autodiagnose-$toolset:1"; done
npm run --silent build
test/lab/lab image dist localhost/autodiagnose-service:1
