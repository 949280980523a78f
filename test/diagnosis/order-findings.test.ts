import { describe, expect, test } from 'vitest'
import type { Finding } from '../../src/diagnosis/diagnosis.ts'
import { orderFindings } from '../../src/diagnosis/order-findings.ts'
import { finding, inside } from './make-finding.ts'

const ids = (findings: readonly Finding[]) => orderFindings(findings).map(({ id }) => id)

describe('orderFindings', () => {
  test.each([
    'scheduling/Unschedulable',
    'image/shop/pull',
    'waiting/shop/CreateContainerConfigError',
    'mount/tls',
    'init/prepare/running',
    'exit-history/shop/oom-killed',
    'terminating/finalizer',
    'node/not-ready',
  ])('puts what keeps a pod from running before what was seen beside it: %s', (id) => {
    expect(ids([inside('tcp/db:5432/refused'), finding(id)])).toEqual([id, 'tcp/db:5432/refused'])
  })

  test('puts errors before warnings, whoever saw them, and else what was seen from inside first', () => {
    const warned = finding('exit-history/shop/exited', { severity: 'warn' })
    expect(ids([warned, finding('memory/near-limit'), inside('disk/full/data'), inside('disk/low', { severity: 'warn' })])).toEqual([
      'disk/full/data',
      'memory/near-limit',
      'disk/low',
      'exit-history/shop/exited',
    ])
  })

  test('puts a container that ends again and again before what was seen beside it, and one that ended once, in whatever words, after it', () => {
    const seen = inside('tcp/db:5432/refused')
    const ended = (title: string) => finding('exit-history/shop/exited', { title: `Container shop ended with exit code 1${title}` })
    expect(ids([seen, ended(' again and again, restarted 2 times: bad')])).toEqual(['exit-history/shop/exited', seen.id])
    expect(ids([seen, ended(', restarted once: tried again and again, restarted it')])).toEqual([seen.id, 'exit-history/shop/exited'])
  })

  test('has the evidence say what was seen from inside of the same server', () => {
    const crash = finding('exit-history/shop/exited', {
      title: 'Container shop ended with exit code 1 again and again, restarted 2 times: lookup db.shop: no such host',
    })
    const asked = inside('dns/db.shop/nxdomain', { title: 'DNS name db.shop does not exist (NXDOMAIN)' })
    const other = inside('http/stock:8080/500', { title: 'GET http://stock:8080/ answered 500' })
    expect(orderFindings([other, asked, crash]).map(({ title }) => title)).toEqual([
      'Container shop ended with exit code 1 again and again, restarted 2 times: lookup db.shop: no such host; DNS name db.shop does not exist (NXDOMAIN)',
      other.title,
      asked.title,
    ])
  })

  test.each([
    ['Service stock', 'stock:8080'],
    ['Service stock (10.96.0.7)', '10.96.0.7:8080'],
    ['Service stock ([fd00::7])', '[fd00::7]:8080'],
  ])('names a Service that leads nowhere before the refusal that follows from it: %s', (what, server) => {
    const service = finding('service/stock/no-pods', { title: `${what} has no endpoints` })
    const refused = inside(`http/${server}/refused`, { title: `${server} refused the connection` })
    const other = inside('http/10.96.0.71:8080/refused')
    expect(orderFindings([other, refused, service]).map(({ title }) => title)).toEqual([
      other.title,
      `${service.title}; ${refused.title}`,
      refused.title,
    ])
  })

  test('leads with the probe whose port nothing listens on, and with no other', () => {
    const probe = (port: number) =>
      finding('probe/shop/readiness', { title: `Readiness probe of container shop (GET :${port}/) failed: connection refused` })
    const closed = inside('listening/none/8081', { title: 'nothing listens on port 8081' })
    expect(ids([closed, probe(8081)])).toEqual(['probe/shop/readiness', 'listening/none/8081'])
    expect(orderFindings([closed, probe(8081)])[0]?.title).toMatch(/refused; nothing listens on port 8081$/)
    expect(ids([closed, probe(80)])).toEqual(['listening/none/8081', 'probe/shop/readiness'])
  })

  test('puts other troubles that were seen from inside before a probe and its like', () => {
    const probe = finding('probe/shop/readiness', { title: 'Readiness probe of container shop (GET :8080/healthz) failed: deadline exceeded' })
    const alike = inside('http/localhost:8080/silent', { title: 'GET http://localhost:8080/healthz got no answer' })
    expect(ids([alike, inside('limits/open-files'), probe])).toEqual(['limits/open-files', 'probe/shop/readiness', 'http/localhost:8080/silent'])
  })

  test('loses none and doubles none', () => {
    const all = [
      finding('probe/a/readiness', { title: 'Readiness probe (GET :1/)' }),
      inside('tcp/localhost:1/refused'),
      finding('x/1'),
      inside('x/2'),
      finding('x/3', { severity: 'info' }),
    ]
    expect(ids(all).toSorted()).toEqual(all.map(({ id }) => id).toSorted())
  })
})
