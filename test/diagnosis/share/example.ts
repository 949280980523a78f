import type { ContainerRecord, Diagnosis } from '../../../src/diagnosis/diagnosis.ts'

export const urls = {
  page: 'https://autodiagnose.example/diagnoses/ad-01hzy3v8kq5m7n9p2r4t',
  bundle: 'https://autodiagnose.example/v1/diagnoses/ad-01hzy3v8kq5m7n9p2r4t/bundle',
  log: 'https://autodiagnose.example/v1/diagnoses/ad-01hzy3v8kq5m7n9p2r4t/log',
}

export const container: ContainerRecord = {
  name: 'ad-01hzy3v8kq5m7n9p2r4t-1',
  profile: 'restricted',
  image: 'registry.example/autodiagnose:1',
  imageId: 'registry.example/autodiagnose@sha256:5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03',
  ids: { uid: 65532, gid: 65532 },
  startedAt: '2026-11-23T12:00:02.000000000Z',
  finishedAt: '2026-11-23T12:00:05.500000000Z',
  exitCode: 0,
  lines: 240,
  bytes: 9000,
  proven: true,
}

/** A diagnosis that is over, as the records keep it. */
export function exampleDiagnosis(change: Partial<Diagnosis> = {}): Diagnosis {
  return {
    id: 'ad-01hzy3v8kq5m7n9p2r4t',
    createdAt: '2026-11-23T12:00:00.000Z',
    updatedAt: '2026-11-23T12:00:07.000Z',
    finishedAt: '2026-11-23T12:00:06.200Z',
    requester: 'ops',
    cluster: 'lab',
    target: { kind: 'pod', namespace: 'fruit', name: 'apples-57bcf49487-ddmpn' },
    profile: 'auto',
    checks: [],
    report: { tracker: 'redmine', key: '12' },
    reason: 'apples shows errors',
    state: 'sharing',
    outcome: 'complete',
    cancelRequested: false,
    pod: { name: 'apples-57bcf49487-ddmpn', uid: '0c3e8a51-6a3a-4a8b-9f0e-0d5a7f1e2b3c', node: 'lab', container: 'app' },
    containers: [container],
    findings: [
      { id: 'dns/slow', check: 'dns', severity: 'warn', title: 'DNS of "bananas" took 2.1 s', source: 'container' },
      { id: 'http/500', check: 'http', severity: 'error', title: 'GET http://bananas:8080 answers 500 Internal Server Error', source: 'container' },
    ],
    redactions: { bearer: 2, jwt: 0, 'private-key': 1 },
    bundle: { key: 'diagnoses/ad-01hzy3v8kq5m7n9p2r4t/bundle.tar.gz', bytes: 49_152, filename: 'support-bundle-2026-11-23T12_00_06.tar.gz' },
    ...change,
  }
}
