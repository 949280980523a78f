import { describe, expect, test } from 'vitest'
import { crossProblems } from '../../src/hosts/config-checks.ts'
import { hostProblems } from '../../src/hosts/config-hosts.ts'

const config = (adoption: readonly object[], clusters: object = { main: { inCluster: true } }) => ({
  publicUrl: 'https://d.example',
  clusters,
  store: { kind: 's3', bucket: 'bundles' },
  principals: [{ name: 'on-call', tokenHashes: [`sha256:${'0'.repeat(64)}`] }],
  adoption,
})
const two = { main: { inCluster: true }, far: { kubeconfig: 'x' } }

describe('adoption', () => {
  test('may name a cluster, and need not where there is one', () => {
    expect(crossProblems(config([{ namespaces: ['shop'], principal: 'on-call' }]))).toEqual([])
    expect(
      crossProblems(
        config(
          [
            { cluster: 'far', namespaces: ['shop'], principal: 'on-call' },
            { cluster: 'main', namespaces: ['shop'], principal: 'on-call' },
          ],
          two,
        ),
      ),
    ).toEqual([])
  })

  test.each([
    ['an unknown cluster', [{ cluster: 'fra', namespaces: ['shop'], principal: 'on-call' }], two, 'no cluster is named "fra"'],
    ['no cluster of several', [{ namespaces: ['shop'], principal: 'on-call' }], two, 'expected one of main, far, got nothing'],
    ['an unknown principal', [{ namespaces: ['shop'], principal: 'oncall' }], undefined, 'no principal is named "oncall"'],
    [
      'a namespace twice',
      [
        { namespaces: ['shop'], principal: 'on-call' },
        { cluster: 'main', namespaces: ['web', 'shop'], principal: 'on-call' },
      ],
      undefined,
      '"shop" stands in adoption[0] already',
    ],
  ])('must not have %s', (_, adoption, clusters, message) => {
    const problems = crossProblems(config(adoption, clusters))
    expect(problems).toHaveLength(1)
    expect(problems[0]?.message).toContain(message)
  })

  test('is refused on Workers', () => {
    const adoption = [{ namespaces: ['shop'], principal: 'on-call' }]
    expect(hostProblems(config(adoption), 'node')).toEqual([])
    expect(hostProblems(config(adoption), 'workers').map(({ path }) => path)).toContainEqual(['adoption'])
    expect(hostProblems(config([]), 'workers').map(({ path }) => path)).not.toContainEqual(['adoption'])
  })
})
