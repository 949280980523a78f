import { expect, test } from 'vitest'
import { hintsFor } from '../../src/diagnosis/gather/hints.ts'
import { makeRedactor } from '../../src/diagnosis/redact/make-redactor.ts'
import type { RawPod } from '../../src/ports/cluster/cluster.ts'

const env = [
  { name: 'STOCK_URL', value: 'http://stock:8080/' },
  { name: 'LEGACY_URL', value: 'http://legacy.shop.svc:8080/' },
]
const asked = (log: string, status: object = {}) => {
  const containerStatuses = [{ name: 'app', ready: true, restartCount: 0, ...status }]
  const pod = { metadata: { name: 'shop' }, spec: { containers: [{ name: 'app', env }] }, status: { containerStatuses } } as unknown as RawPod
  return hintsFor(pod, 'app', log, makeRedactor())
    .filter(({ name }) => name === 'http')
    .map(({ param }) => param)
}
const [stock, legacy] = ['http://stock:8080/', 'http://legacy.shop.svc:8080/']
const calls = 'INFO GET http://stock:8080/: 200 OK in 2ms\n'

// A server that stays silent leaves no word in the log.
test.each<[string, string, object]>([
  ['tells of its calls of another', calls, {}],
  ['tells of nothing', '', {}],
  ['has a trouble of which it does not say with whom', `${calls}ERROR checkout failed\n`, {}],
  ['is not ready', calls, { ready: false }],
  ['was restarted', calls, { restartCount: 1 }],
])('a server of which only a variable speaks is asked beside a program that %s', (_, log, status) => {
  expect(new Set(asked(log, status))).toEqual(new Set([stock, legacy]))
})

test.each([
  [{ name: 'OTEL_EXPORTER_OTLP_ENDPOINT', value: 'http://collector.observability:4318' }],
  [{ name: 'SENTRY_URL', value: 'https://sentry:9000/' }],
  [
    { name: 'DD_AGENT_HOST', value: 'collector' },
    { name: 'DD_AGENT_PORT', value: '8126' },
  ],
])('a server of traces or metrics is asked only where the log speaks of it: %j', (...variables) => {
  const pod = { metadata: { name: 'shop' }, spec: { containers: [{ name: 'app', env: variables }] }, status: {} } as unknown as RawPod
  const hints = (log: string) => hintsFor(pod, 'app', log, makeRedactor())
  expect(hints('')).toEqual([])
  expect(hints('ERROR traces export: Post "http://collector:4318/v1/traces": dial tcp: lookup collector: no such host\n')).toEqual([
    { name: 'dns', param: 'collector' },
    { name: 'http', param: 'http://collector:4318' },
  ])
})
