import { execFile } from 'node:child_process'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { View } from '../../src/api/view.ts'
import type { ConfigInput } from '../../src/config.ts'
import { hashToken } from '../../src/diagnosis/admit/token-hash.ts'
import { loadConfig } from '../../src/hosts/load-config.ts'
import { type Service, startService } from '../../src/hosts/node.ts'
import { needsTestImage, testImage, useNamespace } from './environment.ts'
import { create, isReady, podThat } from './pods.ts'
import { freePort } from './service.ts'
import { useServiceRights } from './service-rights.ts'

const run = promisify(execFile)
const token = 'made-up-token-of-the-tests'
const url = 'http://prices:8080/today'

/** Runs busybox of the diagnostic image, which so is the only image that the cluster needs. */
const pod = (name: string, command: readonly string[], env: readonly object[] = []) => ({
  kind: 'Pod',
  metadata: { name, labels: { app: name } },
  spec: {
    terminationGracePeriodSeconds: 1,
    securityContext: { runAsUser: 65532, runAsGroup: 65532 },
    containers: [{ name: 'app', image: testImage, imagePullPolicy: 'IfNotPresent', command: ['/bin/busybox', ...command], env }],
  },
})

describe('on any cluster that has the diagnostic image', () => {
  needsTestImage()
  const namespace = useNamespace('anywhere')
  const rights = useServiceRights([namespace], testImage !== '')
  let directory = ''
  let service: Service | undefined

  beforeAll(async () => {
    if (testImage === '') return
    directory = await mkdtemp(join(tmpdir(), 'autodiagnose-anywhere-'))
    const port = await freePort()
    const config: ConfigInput = {
      publicUrl: `http://127.0.0.1:${port}`,
      listen: { port },
      state: join(directory, 'state'),
      clusters: { here: { kubeconfig: join(directory, 'kubeconfig') } },
      store: { kind: 'files', directory: join(directory, 'store') },
      trackers: { local: { kind: 'local', directory: join(directory, 'tracker') } },
      principals: [{ name: 'alice', tokenHashes: [await hashToken(token)] }],
      policy: [{ principals: ['alice'], namespaces: [namespace], reports: ['local:*'] }],
      diagnosis: { image: testImage, imagePullPolicy: 'IfNotPresent' },
    }
    const file = join(directory, 'config.yaml')
    await Promise.all([writeFile(file, JSON.stringify(config)), rights.writeKubeconfig(join(directory, 'kubeconfig'))])
    // A server of files that has none: 404.
    await create(namespace, pod('prices', ['httpd', '-f', '-p', '8080', '-h', '/']))
    await create(namespace, { kind: 'Service', metadata: { name: 'prices' }, spec: { selector: { app: 'prices' }, ports: [{ port: 8080 }] } })
    await create(namespace, pod('shop', ['sleep', '3600'], [{ name: 'PRICES_URL', value: url }]))
    for (const name of ['prices', 'shop']) await podThat(namespace, name, isReady, 120_000)
    service = await startService(loadConfig({ ...process.env, AUTODIAGNOSE_CONFIG: file }))
  })
  afterAll(async () => {
    await service?.close()
    if (directory !== '') await rm(directory, { recursive: true, force: true })
  })

  test('one curl has a pod diagnosed: live log, finding, bundle and note', async () => {
    const literal = `curl -N -H "Authorization: Bearer $TOKEN" -d pod=${namespace}/shop -d report=local:1 "$URL/v1/diagnoses?follow"`
    const { stdout } = await run('sh', ['-c', literal], { env: { ...process.env, TOKEN: token, URL: service?.url }, timeout: 150_000 })
    const id = /^# diagnosis (ad-[0-9a-z]{20}) of pod /.exec(stdout)?.[1] ?? ''
    const found = `GET ${url} answered 404 Not Found`
    expect(stdout).toMatch(/^TAP version 14$/m)
    expect(stdout).toMatch(/^ok \d+ - DNS name prices is /m)
    expect(stdout).toContain(` - ${found}\n`)
    expect(stdout).toMatch(/^# outcome: complete$/m)
    expect(stdout).toContain(`# finding: error: ${found}\n`)

    const headers = { authorization: `Bearer ${token}` }
    const view = (await (await fetch(`${service?.url}/v1/diagnoses/${id}`, { headers })).json()) as View
    expect(view).toMatchObject({ state: 'done', reported: { kind: 'written' } })
    const target = await podThat(
      namespace,
      'shop',
      ({ status }) => status.ephemeralContainerStatuses?.every(({ state }) => state?.terminated) ?? false,
    )
    const added = (target.spec.ephemeralContainers ?? []).map(({ name }) => name)
    expect(added.sort()).toEqual(view.containers.map(({ name }) => name))
    expect(target.status.containerStatuses?.[0]).toMatchObject({ restartCount: 0, ready: true })

    const archive = join(directory, 'bundle.tar.gz')
    await writeFile(archive, new Uint8Array(await (await fetch(`${service?.url}/v1/diagnoses/${id}/bundle`, { headers })).arrayBuffer()))
    const { stdout: log } = await run('tar', ['-xzOf', archive, '--wildcards', `*/autodiagnose/${namespace}/shop/${added[0]}-stdout.txt`])
    expect(stdout).toContain(log)
    const notes = await readdir(join(directory, 'tracker', '1'))
    expect(notes).toEqual([`${id}.json`])
    expect(await readFile(join(directory, 'tracker', '1', `${id}.json`), 'utf8')).toContain('404 Not Found')
  })
})
