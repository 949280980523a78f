import { describe, expect, test } from 'vitest'
import { boundFindings, leftOut } from '../../src/diagnosis/bound-findings.ts'
import type { Finding } from '../../src/diagnosis/diagnosis.ts'

const finding = (n: number, evidence: string): Finding => ({
  id: `dns/${n}`,
  check: 'dns',
  severity: 'error',
  title: `trouble ${n}`,
  evidence,
  cause: 'a cause',
  source: 'container',
})
const bytes = (value: unknown) => new TextEncoder().encode(JSON.stringify(value)).length

describe('boundFindings', () => {
  test('leaves what fits as it is', () => {
    const findings = Array.from({ length: 10 }, (_, n) => finding(n, '字'.repeat(100)))
    const needed = findings.reduce((sum, one) => sum + bytes(one), 0)
    expect(boundFindings(findings, needed)).toEqual(findings)
    expect(boundFindings(findings, needed - 1)).not.toEqual(findings)
  })

  test('says of a finding that is too long who it is, and keeps shorter ones behind it', () => {
    const kept = boundFindings([finding(1, 'x'.repeat(300)), finding(2, 'x'.repeat(5000)), finding(3, 'short')], 1000)
    expect(kept.map(({ title, evidence }) => [title, evidence])).toEqual([
      ['trouble 1', 'x'.repeat(300)],
      ['trouble 2', leftOut],
      ['trouble 3', 'short'],
    ])
    expect(kept[1]?.cause).toBeUndefined()
  })

  test('drops the last ones where not even that fits', () => {
    const kept = boundFindings(
      Array.from({ length: 100 }, (_, n) => finding(n, 'x'.repeat(5000))),
      2000,
    )
    expect(kept.length).toBeGreaterThan(5)
    expect(kept.map(({ title }) => title)).toEqual(kept.map((_, n) => `trouble ${n}`))
    expect(kept.reduce((sum, one) => sum + bytes(one), 0)).toBeLessThanOrEqual(2000)
  })
})
