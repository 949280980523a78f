import { mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeEach, describe, expect, test } from 'vitest'
import { needs } from '../needs.ts'
import { certificate, inDays } from './diagnostics-certificates.ts'
import { type Mount, PodTree, told } from './diagnostics-pod.ts'
import type { Userland } from './diagnostics-userland.ts'

/** Where the kubelet keeps a volume, as mountinfo shows it of one that lies on the node's disk. */
const place = (kind: string, more = ''): string =>
  `/var/lib/kubelet/pods/8e9b4b45-b3ca-458e-bed7-ca3168a0473c/volumes/kubernetes.io~${kind}/config${more}`

describe.each<Userland>(['busybox', 'debian'])('the check kubernetes under %s', (userland) => {
  const pod = new PodTree(userland, needs('busybox'))
  beforeEach(() => {
    pod.runAs({})
    rmSync(join(pod.root, 'etc'), { recursive: true, force: true })
  })
  afterAll(() => pod.remove())

  /** A volume as the kubelet writes it: a directory with its time in the name, behind links. */
  function volume(point: string, keys: Readonly<Record<string, string>>, { at = '11_59_58', mode = 0o644, source = '' } = {}): Mount {
    const version = `..2026_11_27_${at}.1069312884`
    for (const [key, value] of Object.entries(keys)) {
      pod.file(join(point, version, key), value, mode)
      symlinkSync(join('..data', key), join(pod.root, point, key))
    }
    pod.directory(join(point, version))
    symlinkSync(version, join(pod.root, point, '..data'))
    return { point, options: 'ro,relatime', ...(source ? { type: 'ext4', source } : {}) }
  }
  const configMap = place('configmap')

  async function look(...mounts: readonly Mount[]) {
    pod.mount(mounts)
    return pod.check('kubernetes')
  }

  test('shows keys, sizes and times, and is silent of what is well', async () => {
    const { points, text } = await look(
      volume('/etc/app', { 'app.json': '{"password": "made-up-secret"}', empty: '' }, { source: configMap }),
      volume('/etc/keys', { signing: 'made-up-secret' }),
    )
    expect(told(points)).toEqual(['mounted ConfigMaps, Secrets and the like that can be read: 2'])
    expect(text).toMatch(/^# \/etc\/app \(ConfigMap\), keys: app\.json empty; written 2026-11-27 11:59:58 UTC$/m)
    expect(text).toContain('# the environment names the API server (KUBERNETES_SERVICE_HOST)')
    expect(text).not.toContain('made-up')
  })

  test('finds an empty volume: its ConfigMap or Secret is optional and missing', async () => {
    const { points } = await look(volume('/etc/app', {}, { source: configMap }), volume('/etc/keys', {}))
    expect(told(points)).toEqual(['info kubernetes/empty-volume/etc/app', 'info kubernetes/empty-volume/etc/keys'])
    expect(points[0]?.name).toContain('volume /etc/app is empty: its ConfigMap or Secret is missing and marked optional')
  })

  test('finds keys that the target may not read, and empty ones of a Secret', async () => {
    const keys = volume('/etc/keys', { signing: 'made-up', checking: '' }, { mode: 0o400 })
    const { points } = await look(keys)
    expect(told(points)).toEqual(['error kubernetes/not-readable/etc/keys', 'warn kubernetes/empty-keys/etc/keys'])
    expect(points[0]?.name).toContain('the target cannot read 2 of 2 files in /etc/keys: permission denied for uid 1000, gid 1000: checking (')
    pod.runAs({ uid: process.getuid?.() ?? 0 })
    expect(told((await look(keys)).points)).toEqual(['warn kubernetes/empty-keys/etc/keys'])
  })

  test('finds config that changed after the start, but not tokens and labels', async () => {
    const late = { at: '12_03_00' }
    const { points } = await look(
      volume('/etc/app', { 'app.conf': 'a' }, { ...late, source: configMap }),
      volume('/etc/pod', { labels: 'a="b"' }, late),
      volume('/run/secrets/kubernetes.io/serviceaccount', { token: 'x', namespace: 'y', 'ca.crt': 'z' }, late),
      volume('/etc/early', { a: 'b' }, { at: '12_00_04', source: configMap }),
    )
    expect(told(points)).toEqual(['info kubernetes/stale-config/etc/app'])
    expect(points[0]?.name).toContain('the config in /etc/app was changed 3 minutes after the process started')
    rmSync(join(pod.root, 'run'), { recursive: true })
  })

  test('finds a file of a version that is no more, and a directory in its place', async () => {
    pod.file('/etc/app.conf', 'a')
    pod.file('/etc/new.conf', 'a')
    mkdirSync(join(pod.root, 'etc/missing.conf'))
    const bound = (point: string, more: string): Mount => ({ point, type: 'ext4', options: 'ro', source: place('configmap', more) })
    const { points } = await look(
      bound('/etc/app.conf', '/..2026_11_27_11_59_58.1069312884/app.conf//deleted'),
      bound('/etc/new.conf', '/..2026_11_27_11_59_58.1069312884/new.conf'),
      bound('/etc/missing.conf', '/missing.conf'),
    )
    expect(told(points)).toEqual(['warn kubernetes/stale-sub-path/etc/app.conf', 'error kubernetes/sub-path-missing/etc/missing.conf'])
  })

  test('finds a link ..data that points nowhere', async () => {
    const mount = volume('/etc/app', { a: 'b' }, { source: configMap })
    rmSync(join(pod.root, 'etc/app/..2026_11_27_11_59_58.1069312884'), { recursive: true })
    expect(told((await look(mount)).points)).toEqual(['error kubernetes/dangling/etc/app'])
  })

  test('finds JSON and YAML that are broken, and what some programs take as a warning', async () => {
    const { points, text } = await look(
      volume(
        '/etc/app',
        { 'a.json': '{"a": "made-up"\n"b": 2}', 'b.json': '[1,]', 'c.json': '// comment\n{}', 'd.yaml': 'a:\n\tb: made-up\n', e: '{"a"' },
        { source: configMap },
      ),
    )
    expect(told(points)).toEqual([
      'error kubernetes/invalid/etc/app/a.json',
      'warn kubernetes/invalid/etc/app/b.json',
      'error kubernetes/invalid/etc/app/d.yaml',
    ])
    expect(points[0]?.name).toBe('config file /etc/app/a.json is no valid JSON: line 2: a comma is missing before this')
    expect(text).not.toContain('made-up')
  })

  test.each([
    ['is not over', 3600, 'ok'],
    ['is over', -7200, 'error kubernetes/token-expired/run/secrets/kubernetes.io/serviceaccount'],
  ])('reads of a token when it ends, and nothing else: it %s', async (_, seconds, says) => {
    const payload = { aud: ['https://made-up.example'], exp: Math.floor(Date.now() / 1000) + seconds, iat: 1, sub: 'made-up' }
    const token = `eyJhbGciOiJSUzI1NiJ9.${Buffer.from(JSON.stringify(payload)).toString('base64url')}.made-up`
    const { points, text } = await look(volume('/run/secrets/kubernetes.io/serviceaccount', { token, namespace: 'shop', 'ca.crt': 'x' }))
    expect(points[0]?.ok ? 'ok' : told(points)[0]).toBe(says)
    expect(text).toContain(seconds > 0 ? 'a token that ends in ' : 'has expired 2 hours ago')
    expect(text).not.toContain('made-up')
    rmSync(join(pod.root, 'run'), { recursive: true })
  })

  test.each([
    ['has expired', 'tls.crt', -30, -2, 'warn kubernetes/certificate/etc/tls/tls.crt'],
    ['is not valid yet', 'server.pem', 2, 30, 'warn kubernetes/certificate/etc/tls/server.pem'],
    ['is valid', 'tls.crt', -30, 30, 'mounted ConfigMaps, Secrets and the like that can be read: 1'],
    ['of an authority has expired', 'ca.crt', -30, -2, 'mounted ConfigMaps, Secrets and the like that can be read: 1'],
  ])('looks at the times of a certificate that a Secret holds: one that %s', async (_, key, from, until, says) => {
    const { cert } = certificate(inDays(from), inDays(until))
    const { points } = await look(volume('/etc/tls', { [key]: `Bag Attributes\n${cert}${cert}`, 'tls.key': 'made-up-secret' }))
    expect(told(points)).toEqual([says])
    if (until < 0 && key === 'tls.crt')
      expect(points[0]?.name).toMatch(/^the certificate \/etc\/tls\/tls\.crt has expired on \d{4}-\d\d-\d\d \d\d:\d\d UTC/)
  })

  test('is skipped where the root is not open to inspection', async () => {
    writeFileSync(join(pod.proc, '1/mountinfo'), '')
    rmSync(pod.root, { recursive: true })
    expect((await pod.check('kubernetes')).points).toMatchObject([{ ok: true, skip: "the target's root is not open to inspection" }])
    mkdirSync(pod.root)
  })
})
