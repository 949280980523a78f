import { createExecutionContext } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { describe, expect, test, vi } from 'vitest'
import { type ConfigInput, configSchema } from '../../src/config.ts'
import worker from '../../src/hosts/worker.ts'
import { type Bindings, openWorker, type WorkerConfig } from '../../src/hosts/worker-parts.ts'
import { missingParts } from '../../src/hosts/worker-problems.ts'

const signal = new AbortController().signal

function configOf(change: Partial<ConfigInput> = {}) {
  return configSchema.parse({
    publicUrl: 'https://autodiagnose.test',
    clusters: { main: { url: 'https://kubernetes.test:6443/prefix', token: { env: 'CLUSTER_TOKEN' }, binding: 'CLUSTER' } },
    store: { kind: 'r2' },
    ...change,
  } satisfies ConfigInput)
}

const bindings = { ...env, CLUSTER_TOKEN: 'made-up' } as unknown as Bindings

describe('missingParts()', () => {
  test('finds nothing where everything is there', () => {
    expect(missingParts(configOf(), ['CLUSTER_TOKEN'], bindings)).toEqual([])
  })

  test('names every binding and secret that is not there, and where it is put', () => {
    expect(missingParts(configOf(), ['CLUSTER_TOKEN', 'OTHER'], { OTHER: '' })).toEqual([
      'binding "DB" is not there: add a [[d1_databases]] of that name to wrangler.toml',
      'binding "DIAGNOSIS" is not there: add a [[workflows]] of that name to wrangler.toml',
      'binding "BUCKET" is not there: add an [[r2_buckets]] (store.binding) of that name to wrangler.toml',
      'binding "CLUSTER" is not there: add a [[vpc_services]] (clusters.main.binding) of that name to wrangler.toml',
      'secret "CLUSTER_TOKEN" is not set: run npx wrangler secret put CLUSTER_TOKEN (for wrangler dev: .dev.vars)',
      'secret "OTHER" is not set: run npx wrangler secret put OTHER (for wrangler dev: .dev.vars)',
    ])
  })

  test('takes no binding of another kind', () => {
    expect(missingParts(configOf(), [], { ...bindings, BUCKET: env.DB, CLUSTER: 'text' })).toEqual([
      'binding "BUCKET" is not there: add an [[r2_buckets]] (store.binding) of that name to wrangler.toml',
      'binding "CLUSTER" is not there: add a [[vpc_services]] (clusters.main.binding) of that name to wrangler.toml',
    ])
  })
})

/** Whatever is to be done later is lost. */
const open = (built: WorkerConfig, given: Bindings) => openWorker(built, given, () => undefined)

describe('openWorker()', () => {
  test('reaches a cluster through its binding, with the token', async () => {
    const { clusters } = open({ config: configOf(), redactors: [], secrets: ['CLUSTER_TOKEN'] }, bindings)
    // The service behind the binding tells what it was asked: see vitest.config.ts.
    expect(await clusters.get('main')?.version(signal)).toEqual({
      method: 'GET',
      url: 'https://kubernetes.test:6443/prefix/version',
      authorization: 'Bearer made-up',
    })
  })

  test('says what may be wrong where the runtime says nothing', async () => {
    const clusters = { main: { url: 'https://127.0.0.1:1', token: { env: 'CLUSTER_TOKEN' } } }
    const opened = open({ config: configOf({ clusters }), redactors: [], secrets: [] }, bindings)
    await expect(opened.clusters.get('main')?.version(signal)).rejects.toThrow(/cannot reach the API server of cluster "main": .*certificate/)
  })

  test('uses the redactor files that were built in', () => {
    const document = {
      apiVersion: 'troubleshoot.sh/v1beta2',
      kind: 'Redactor',
      spec: { redactors: [{ name: 'own', removals: { values: ['hunter2'] } }] },
    }
    const { redactor } = open({ config: configOf(), redactors: [{ name: 'own.yaml', document }], secrets: [] }, bindings)
    expect(redactor.text('x', 'it is hunter2').text).toBe('it is ***HIDDEN***')
  })

  test('opens the bucket of the configuration', async () => {
    const config = configOf({ store: { kind: 'r2', prefix: 'of-the-host/' } })
    const { store } = open({ config, redactors: [], secrets: [] }, bindings)
    await store.create('a.txt', new TextEncoder().encode('x'))
    expect(await env.BUCKET.head('of-the-host/a.txt')).toMatchObject({ size: 1 })
    expect(await store.downloadUrl('a.txt', { filename: 'a.txt', expiresSeconds: 60 })).toBeUndefined()
  })

  test('signs download URLs where the configuration has the keys', async () => {
    const downloads = {
      endpoint: 'https://account.r2.test',
      bucket: 'bundles',
      accessKeyId: { env: 'KEY_ID' },
      secretAccessKey: { env: 'KEY' },
    }
    const config = configOf({ store: { kind: 'r2', prefix: 'p/', downloads } })
    const { store } = open({ config, redactors: [], secrets: [] }, { ...bindings, KEY_ID: 'made-up-id', KEY: 'made-up-key' })
    const url = new URL((await store.downloadUrl('a b.txt', { filename: 'a.txt', expiresSeconds: 60 })) ?? '')
    expect(url.origin + url.pathname).toBe('https://account.r2.test/bundles/p/a%20b.txt')
    expect(url.searchParams.get('X-Amz-Expires')).toBe('60')
    expect(url.searchParams.get('X-Amz-Credential')).toMatch(/^made-up-id\/\d{8}\/auto\/s3\/aws4_request$/)
  })
})

describe('the Worker', () => {
  const request = () => new Request('https://autodiagnose.test/healthz')
  const fetchFrom = (from: object) =>
    worker.fetch(request() as Request<unknown, IncomingRequestCfProperties>, from as Bindings, createExecutionContext())

  test('serves', async () => {
    expect(await (await fetchFrom(bindings)).text()).toBe('ok')
  })

  test.each([
    ['a secret that is missing', { CLUSTER_TOKEN: undefined }, 'secret \\"CLUSTER_TOKEN\\" is not set'],
    ['a binding that is missing', { DB: undefined }, 'binding \\"DB\\" is not there'],
    ['a secret that is no token', { CLUSTER_TOKEN: 'made up' }, 'clusters.main.token is no bearer token'],
  ])('answers nothing but that it is not set up with %s, and its log says which', async (_, change, expected) => {
    const log = vi.spyOn(console, 'error').mockImplementation(() => undefined)
    const answer = await fetchFrom({ ...bindings, ...change })
    expect(answer.status).toBe(500)
    expect(await answer.text()).toMatch(/^The service is not set up/)
    expect(log.mock.calls.join()).toContain(expected)
    log.mockRestore()
  })
})
