#!/usr/bin/env bash
# Builds the diagnostic image and the service's own, and brings both onto the lab's node.
set -euo pipefail
cd "$(dirname "$0")/.."

test/lab/lab image diagnostics localhost/autodiagnose:1
npm run --silent build
test/lab/lab image dist localhost/autodiagnose-service:1
