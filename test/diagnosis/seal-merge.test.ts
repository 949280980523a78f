import { describe, expect, test } from 'vitest'
import type { Finding } from '../../src/diagnosis/diagnosis.ts'
import { mergeFindings } from '../../src/diagnosis/seal/conclude.ts'
import { finding, inside } from './make-finding.ts'

describe('mergeFindings', () => {
  const merged = (evidence: readonly Finding[], ...containers: readonly (readonly Finding[])[]) =>
    mergeFindings(
      evidence,
      containers.map((findings) => ({ findings, checks: findings.map(({ check }) => check) })),
    ).map(({ severity, id }) => `${severity} ${id}`)

  test('puts errors first, and of equals what was seen from inside', () => {
    const info = finding('log/trouble', { severity: 'info' })
    expect(merged([info, finding('probe/app/liveness')], [inside('disk/low', { severity: 'warn' }), inside('http/stock/500')])).toEqual([
      'error http/stock/500',
      'error probe/app/liveness',
      'warn disk/low',
      'info log/trouble',
    ])
  })

  test('takes the word of the second container for what both looked at', () => {
    expect(merged([], [inside('processes/none'), inside('http/stock/500')], [inside('processes/zombies')])).toEqual([
      'error processes/zombies',
      'error http/stock/500',
    ])
  })

  test('keeps the order of the checks where two containers ran them', () => {
    const first = { checks: ['processes', 'limits', 'http'], findings: [inside('http/stock/500')] }
    const second = { checks: ['processes', 'limits'], findings: [inside('limits/open-files')] }
    expect(mergeFindings([], [first, second]).map(({ id }) => id)).toEqual(['limits/open-files', 'http/stock/500'])
  })

  test('has memory weigh less that only metrics call used', () => {
    const used = finding('memory/shop/near-limit')
    const ran = (...findings: readonly Finding[]) =>
      mergeFindings([used], [{ checks: ['cgroup'], findings }]).map(({ severity, id }) => `${severity} ${id}`)
    expect(ran()).toEqual(['warn memory/shop/near-limit'])
    expect(ran(inside('cgroup/memory'))).toEqual(['error cgroup/memory', 'error memory/shop/near-limit'])
    expect(merged([used])).toEqual(['error memory/shop/near-limit'])
    const blind = {
      checks: ['cgroup'],
      findings: [],
      container: { skipped: [{ check: 'cgroup', why: 'its /sys/fs/cgroup is not open to inspection' }] },
    }
    expect(mergeFindings([used], [blind]).map(({ severity }) => severity)).toEqual(['error'])
  })

  test('has a volume weigh more that the target was denied to write to', () => {
    const volume = inside('disk/not-writable/data', { severity: 'warn' })
    const denied = finding('log/trouble', { severity: 'info', evidence: 'ERROR open data/x: permission denied' })
    expect(merged([], [volume])).toEqual(['warn disk/not-writable/data'])
    expect(merged([denied], [volume])).toEqual(['error disk/not-writable/data', 'info log/trouble'])
  })

  describe('a server that listens on the loopback alone', () => {
    const alone = inside('listening/localhost/8080', { severity: 'warn' })
    const probe = (title: string) => finding('probe/app/readiness', { title })

    test('is why a probe of its port is refused, and comes before it', () => {
      const refused = probe('Readiness probe of container app failed: dial tcp 10.0.0.7:8080: connect: connection refused')
      expect(merged([refused], [alone])).toEqual(['error listening/localhost/8080', 'error probe/app/readiness'])
    })

    test.each([
      'Readiness probe of container app failed: dial tcp 10.0.0.7:9090: connect: connection refused',
      'Readiness probe of container app failed: HTTP probe failed with statuscode: 404',
    ])('is a warning beside: %s', (title) => {
      expect(merged([probe(title)], [alone])).toEqual(['error probe/app/readiness', 'warn listening/localhost/8080'])
    })
  })
})
