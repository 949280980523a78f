import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { type BenchPod, kubectl, labVariable } from './bench-lab.ts'

const run = promisify(execFile)

/** What someone types who has the rights: the same container by `kubectl debug`, its log, a tar.gz, an upload. */
const script = `
set -euo pipefail
directory=$(mktemp -d)
trap 'rm -r "$directory"' EXIT
kubectl -n "$NAMESPACE" debug "pod/$POD" --container="$NAME" --target=app --profile=restricted \\
  --image=localhost/autodiagnose:1 --image-pull-policy=Never --arguments-only=true -- "$@" >/dev/null 2>&1
until kubectl -n "$NAMESPACE" logs -f "$POD" -c "$NAME" >"$directory/log" 2>/dev/null; do sleep 0.1; done
grep -q '^# autodiagnose end' "$directory/log"
tar -C "$directory" -czf "$directory/bundle.tar.gz" log
curl -fsS --aws-sigv4 aws:amz:us-east-1:s3 --user "$LAB_S3_ACCESS_KEY:$LAB_S3_SECRET_KEY" \\
  -H "x-amz-content-sha256: $(sha256sum <"$directory/bundle.tar.gz" | cut -d' ' -f1)" \\
  -T "$directory/bundle.tar.gz" "$LAB_S3_ENDPOINT/$LAB_S3_BUCKET/$NAMESPACE/by-hand/$NAME.tar.gz"
`

/** Milliseconds that the same work takes by hand, with the arguments that the service gave its container of diagnosis `id`. */
export async function byHand({ namespace, name }: BenchPod, id: string, number: number): Promise<number> {
  const pod = JSON.parse(await kubectl(['-n', namespace, 'get', 'pod', name, '-o', 'json']))
  const { args } = pod.spec.ephemeralContainers.find((container: { name: string }) => container.name === `${id}-1`) as { args: string[] }
  const own = `by-hand-${number}`
  const fresh = args.map((arg) =>
    arg.startsWith('--diagnosis=') ? `--diagnosis=${own}` : arg.startsWith('--expires=') ? `--expires=${Math.ceil(Date.now() / 1000) + 600}` : arg,
  )
  labVariable('LAB_S3_ENDPOINT')
  const began = performance.now()
  await run('bash', ['-c', script, 'by-hand', ...fresh], { env: { ...process.env, NAMESPACE: namespace, POD: name, NAME: own } })
  return performance.now() - began
}
