import { createHash, randomBytes } from 'node:crypto'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import type { ConfigInput } from '../../src/config.ts'
import type { RawPod } from '../../src/ports/cluster/cluster.ts'
import { s3Store } from '../../src/ports/store/s3.ts'
import { bundlePrograms } from '../chaos/service-process.ts'
import { Site } from '../chaos/site.ts'
import { isLab, kubectl, labVariable, needsLab, useNamespace } from './environment.ts'
import { redmineLab } from './redmine-lab.ts'

needsLab()

/** kubectl, tried again while the API server is away. */
const ask = (args: readonly string[], input?: string) => vi.waitFor(() => kubectl(args, input), { timeout: 30_000, interval: 500 })

describe('kill -9 of the service, on the lab', () => {
  const namespace = useNamespace('chaos')
  let directory = ''
  const prefix = `test-chaos-${randomBytes(4).toString('hex')}/`
  const redmine = isLab ? redmineLab() : undefined
  const store = () =>
    s3Store({
      endpoint: labVariable('LAB_S3_ENDPOINT'),
      bucket: labVariable('LAB_S3_BUCKET'),
      prefix,
      credentials: { accessKeyId: labVariable('LAB_S3_ACCESS_KEY'), secretAccessKey: labVariable('LAB_S3_SECRET_KEY') },
    })
  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), 'chaos-lab-'))
    await bundlePrograms(directory)
  })
  afterAll(async () => {
    rmSync(directory, { recursive: true, force: true })
    if (!isLab) return
    const keys: string[] = []
    for await (const { key } of store().list('')) keys.push(key)
    for (const key of keys) await store().remove(key)
    await redmine?.clean()
  })

  function newSite(name: string, issue: string): Site {
    const token = `made-up-${randomBytes(8).toString('hex')}`
    const config: ConfigInput = {
      publicUrl: 'http://autodiagnose.example',
      listen: { port: 0 },
      state: 'state',
      clusters: { lab: { kubeconfig: labVariable('LAB_KUBECONFIG_OPS').replace(/ops$/, 'admin') } },
      store: {
        kind: 's3',
        endpoint: labVariable('LAB_S3_ENDPOINT'),
        bucket: labVariable('LAB_S3_BUCKET'),
        prefix,
        accessKeyId: { env: 'LAB_S3_ACCESS_KEY' },
        secretAccessKey: { env: 'LAB_S3_SECRET_KEY' },
      },
      trackers: { redmine: { kind: 'redmine', url: labVariable('LAB_REDMINE_URL'), apiKey: { env: 'LAB_REDMINE_API_KEY' } } },
      principals: [{ name: 'alice', tokenHashes: [`sha256:${createHash('sha256').update(token).digest('hex')}`] }],
      policy: [{ principals: ['alice'], namespaces: [namespace], reports: ['redmine:*'] }],
      diagnosis: { image: 'localhost/autodiagnose:1', imagePullPolicy: 'Never' },
    }
    const own = join(directory, name)
    mkdirSync(own)
    writeFileSync(join(own, 'config.yaml'), JSON.stringify(config))
    return new Site({
      programs: directory,
      directory: own,
      env: { AUTODIAGNOSE_CONFIG: join(own, 'config.yaml') },
      token,
      report: `redmine:${issue}`,
    })
  }

  const points = [
    'after inject-1',
    'container patched',
    'segment created 1',
    'after listen-1-1',
    'bundle half written',
    'bundle stored',
    'note written',
  ]
  it.each(points)('%s: one container, every line once, one bundle and one note', async (point) => {
    const name = point.replace(/[^a-z0-9]+/g, '-')
    const issue = (await redmine?.newIssue()) ?? ''
    const containers = [{ name: 'app', image: 'localhost/apples:1', args: ['bananas'] }]
    const manifest = { apiVersion: 'v1', kind: 'Pod', metadata: { name }, spec: { terminationGracePeriodSeconds: 1, containers } }
    await ask(['-n', namespace, 'apply', '-f', '-'], JSON.stringify(manifest))
    await ask(['-n', namespace, 'wait', `pod/${name}`, '--for=condition=Ready', '--timeout=20s'])

    const site = newSite(name, issue)
    try {
      const request = { pod: `${namespace}/${name}`, checks: ['http=http://localhost:8080/'] }
      const doomed = await site.start(point)
      await site.ask(request, 'key-1').catch((error: unknown) => {
        if (!(error instanceof TypeError)) throw error
      })
      expect(await doomed.ended(60_000)).toEqual({ code: null, signal: 'SIGKILL' })
      const service = await site.start()
      const { id } = await site.ask(request, 'key-1')
      await service.until('saved', 'finish')
      expect((service.events[0]?.at ?? Number.POSITIVE_INFINITY) - service.readyAt).toBeLessThan(10_000)

      const view = await site.read(id)
      expect(view).toMatchObject({ state: 'done', outcome: 'complete', reported: { kind: 'written' } })
      const pod = JSON.parse(await ask(['-n', namespace, 'get', 'pod', name, '-o', 'json'])) as RawPod
      const added = pod.spec.ephemeralContainers?.map((container) => container.name).sort()
      expect(added).toEqual(view.containers.map((container) => container.name))
      expect(added?.[0]).toBe(`${id}-1`)
      const files = await site.unpack(id)
      for (const container of added ?? []) {
        const printed = await ask(['-n', namespace, 'logs', name, '-c', container])
        expect(printed).toMatch(/\n# autodiagnose end lines=\d+ bytes=\d+\n$/)
        expect(files.get(`autodiagnose/${namespace}/${name}/${container}-stdout.txt`)).toBe(printed)
      }
      const bundles: string[] = []
      for await (const { key } of store().list(`diagnoses/${id}/support-bundle`)) bundles.push(key)
      expect(bundles).toEqual([view.bundle?.key])
      const notes = (await redmine?.notesOf(issue)) ?? []
      expect(notes.filter((note) => note.notes.includes(id))).toHaveLength(1)
      expect(notes[0]?.notes).toContain('500')
    } finally {
      await site.stop()
    }
  })
})
