import { chmodSync, mkdirSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeEach, describe, expect, test } from 'vitest'
import { needs } from '../needs.ts'
import { PodTree, told } from './diagnostics-pod.ts'
import type { Userland } from './diagnostics-userland.ts'

describe.each<Userland>(['busybox', 'debian'])('the check file under %s', (userland) => {
  const pod = new PodTree(userland, needs('busybox'))
  beforeEach(() => pod.runAs({}))
  afterAll(() => pod.remove())

  const path = '/etc/app/config'
  const look = (name = path) => pod.check(`file=${name}`)

  test('shows keys and kinds of JSON, and no value', async () => {
    pod.file('/etc/app/a.json', '{"port": 8080, "db": {"password": "made-up-secret", "hosts": ["x.example", ""]}, "on": true, "none": null}')
    const { points, text } = await look('/etc/app/a.json')
    expect(told(points)).toEqual(['file /etc/app/a.json can be read and nothing is wrong with it that can be told without its values'])
    expect(text).toMatch(
      /^# port: number\n# db: object\n# db\.password: text of 14 characters\n# db\.hosts: list\n# db\.hosts\[0\]: text of 9 characters/m,
    )
    expect(text).toMatch(/^# db\.hosts\[1\]: text, empty\n# on: true or false\n# none: null$/m)
    expect(text).not.toMatch(/made-up|x\.example|8080/)
  })

  test.each([
    ['a trailing comma', '{\n"a": 1,\n}', 'line 3: a comma before the closing'],
    ['no comma', '{\n"a": 1\n"b": 2}', 'line 3: a comma is missing before this'],
    ['an end too early', '{"a": [1, 2]\n', 'line 2: the text ends before the object that begins in line 1 is closed'],
    ['the wrong bracket', '{"a": [1, 2}', 'line 1: .* closes nothing that is open'],
    ['an open string', '{"a": "made-up\n}', 'line 1: a string is not closed at the end of the line'],
    ['something behind it', '{"a": 1}\n{"b": 2}', 'line 2: something follows the end of the JSON text'],
    ['a placeholder for a value', '{"a": \x24{PORT}}', 'line 1: a placeholder stands where a value is expected'],
    ['a bare word', '{"a": yes}', 'line 1: a word without quotes'],
    ['a bare key', '{a: 1}', 'line 1: a key without double quotes'],
    ['blanks alone', ' \n', undefined],
  ])('names what is wrong with JSON: %s', async (_, content, wrong) => {
    pod.file('/etc/app/b.json', content)
    const { points, text } = await look('/etc/app/b.json')
    expect(points[0]?.diag).toMatchObject({ severity: 'error', id: `file/etc/app/b.json/${wrong ? 'invalid' : 'empty'}` })
    expect(points[0]?.name).toMatch(new RegExp(wrong ?? 'holds nothing but blanks'))
    expect(text).not.toContain('made-up')
  })

  test('JSON with comments is not judged, a key that comes twice is', async () => {
    pod.file('/etc/app/c.json', '// what some programs take\n{"a": 1,}')
    expect((await look('/etc/app/c.json')).points).toMatchObject([{ ok: true }])
    pod.file('/etc/app/c.json', '{"a": 1, "b": {"a": 2}, "c": [{"a": 1}, {"a": 2}],\n"a": 3}')
    expect(await look('/etc/app/c.json').then(({ points }) => points[0]?.name)).toContain('has the key a twice, again in line 2')
  })

  const yaml = [
    'server:',
    '  port: 8080 # the usual',
    '  url: http://made-up.example/',
    '  hosts:',
    '  - name: one',
    '    ports: [1,',
    '      2]',
    '  - name: two',
    'text: |',
    '  any: thing: goes',
    '  \there',
    'long: "over',
    '  two: lines"',
    'plain: text that',
    '  goes on',
    "quote: 'it''s'",
    'base: &base {a: 1}',
    'other: *base',
    '---',
    'server: again',
    '',
  ].join('\n')

  test('shows the structure of YAML, and no value', async () => {
    pod.file('/etc/app/a.yaml', yaml)
    const { points, text } = await look('/etc/app/a.yaml')
    expect(points).toMatchObject([{ ok: true }])
    expect(text).toMatch(/^# server:\n# {3}port: number\n# {3}url: text of 23 characters\n# {3}hosts:\n# {3}- name: text of 3 characters$/m)
    expect(text).toMatch(/^# text: block of text\n# long: text of 5 characters\n# plain: text of 9 characters$/m)
    expect(text).not.toMatch(/made-up|thing: goes|8080/)
  })

  test.each([
    ['a tab', 'a:\n\tb: 1\n', 'line 2: a tab in the indentation'],
    ['a level that is none', 'a:\n    b: 1\n  c: 2\n', 'line 3: its indentation is that of no line above it'],
    ['a key below a value', 'a: 1\n  b: 2\n', 'line 2: it is indented deeper than the line above'],
    ['a colon in a value', 'a: b: made-up\n', 'line 1: the value holds a colon and is not quoted'],
    ['an open quote', 'a: 1\nb: "made-up\nc: 2\n', 'line 2: a quote is opened and not closed'],
  ])('names what is wrong with YAML: %s', async (_, content, wrong) => {
    pod.file('/etc/app/b.yaml', content)
    const { points, text } = await look('/etc/app/b.yaml')
    expect(points[0]).toMatchObject({ ok: false, name: expect.stringContaining(wrong), diag: { severity: 'error' } })
    expect(text).not.toContain('made-up')
  })

  test('properties, ini and env files: kinds, open quotes, CR LF, a mark at the beginning', async () => {
    pod.file('/etc/app/x.ini', '[db]\nuser = made-up\npassword =\n; off\n[web]\nuser = x\n')
    const ini = await look('/etc/app/x.ini')
    expect(ini.points).toMatchObject([{ ok: true }])
    expect(ini.text).toMatch(/^# \[db\]\n# user: text of 7 characters\n# password: empty\n# \[web\]$/m)
    pod.file('/etc/app/.env', '\uFEFFA=1\r\nexport B="made-up\r\nC=2\r\n')
    const env = await look('/etc/app/.env')
    expect(told(env.points)).toEqual([
      'error file/etc/app/.env/invalid',
      'warn file/etc/app/.env/byte-order-mark',
      'warn file/etc/app/.env/carriage-returns',
    ])
    expect(env.text).not.toContain('made-up')
    pod.file('/etc/app/x.properties', 'a.b = c\\\n  d=e\n# a.b = f\na.b: g\n')
    expect(told((await look('/etc/app/x.properties')).points)).toEqual(['warn file/etc/app/x.properties/duplicate-key'])
  })

  test('finds what nothing has filled in, by its own name alone', async () => {
    pod.file(path, 'url=http://\x24{STOCK_HOST}:8080/made-up\nport={{ .Values.port }}\nkey=\x24{KEY:made-up}\n# \x24{NOT_THIS}\nlast=@TOKEN@\n')
    const { points, text } = await look()
    expect(told(points)).toEqual([`warn file${path}/placeholder`])
    expect(points[0]?.name).toContain('the placeholder \x24{STOCK_HOST} in line 1')
    expect(points[0]?.diag?.evidence).toBe('line and place:\n1 \x24{STOCK_HOST}\n2 {{ }}\n3 \x24{KEY:(default)}\n5 @TOKEN@\n')
    expect(text).not.toContain('made-up')
  })

  test('missing, a directory, empty, a link into the void or in a circle', async () => {
    pod.file('/etc/shop/app.yml', 'a: 1\n')
    mkdirSync(join(pod.root, 'etc/shop/dir'))
    pod.file('/etc/shop/nothing', '')
    symlinkSync('/opt/gone', join(pod.root, 'etc/shop/void'))
    symlinkSync('circle', join(pod.root, 'etc/shop/circle'))
    const missing = await look('/etc/shop/app.yaml')
    expect(missing.points[0]?.name).toBe('file /etc/shop/app.yaml is missing in the target: no such file or directory')
    expect(missing.points[0]?.diag?.evidence).toContain('/etc/shop is the last directory on the way; it holds 5: app.yml circle dir')
    const ids = await pod.check(...['dir', 'nothing', 'void', 'circle'].map((name) => `file=/etc/shop/${name}`))
    expect(told(ids.points)).toEqual([
      'error file/etc/shop/dir/directory',
      'error file/etc/shop/nothing/empty',
      'error file/etc/shop/void/dangling-link',
      'error file/etc/shop/circle/dangling-link',
    ])
  })

  test('links are followed in the root of the target, never in ours', async () => {
    pod.file('/opt/real.json', '{}')
    pod.directory('/links')
    symlinkSync('/opt/real.json', join(pod.root, 'links/absolute'))
    symlinkSync('../../../../../../opt/real.json', join(pod.root, 'links/up'))
    symlinkSync('/etc/passwd', join(pod.root, 'links/ours'))
    symlinkSync('/proc/1/environ', join(pod.root, 'links/proc'))
    const { points, text } = await pod.check(
      'file=/links/absolute',
      'file=/links/up',
      'file=/links/ours',
      'file=/links/proc',
      'file=/dev/zero',
      'file=relative',
    )
    expect(text).toContain('# /links/absolute is /opt/real.json')
    expect(text).toContain('# /links/up is /opt/real.json')
    expect(points.slice(0, 3)).toMatchObject([{ ok: true }, { ok: true }, { ok: false, diag: { id: 'file/links/ours/dangling-link' } }])
    expect(points.slice(3).map(({ skip }) => skip)).toEqual([
      'it leads into /proc, /sys or /dev, where nothing is read',
      'it leads into /proc, /sys or /dev, where nothing is read',
      'the parameter is no absolute path, as in file=/etc/app/config.yaml',
    ])
  })

  test('says where the ids of the target do not let it read', async () => {
    const file = pod.file('/keys/a', 'x\n', 0o640)
    const refused = await look('/keys/a')
    expect(refused.points[0]).toMatchObject({ diag: { id: 'file/keys/a/not-readable', severity: 'error' } })
    expect(refused.points[0]?.name).toContain('permission denied for uid 1000, gid 1000 (the file belongs to')
    pod.runAs({ groups: `7 8 9 ${process.getgid?.() ?? 0} 11` })
    expect((await look('/keys/a')).points).toMatchObject([{ ok: true }])
    chmodSync(file, 0o600)
    pod.runAs({ uid: 0, capabilities: '00000000a80425fb' })
    expect((await look('/keys/a')).points).toMatchObject([{ ok: true }])
    pod.runAs({ uid: 3 })
    chmodSync(file, 0o644)
    chmodSync(join(file, '..'), 0o700)
    expect((await look('/keys/a')).points[0]?.name).toContain('it may not enter the directory /keys')
    chmodSync(join(file, '..'), 0o755)
  })

  test('a large file is read in part, and ends in time', async () => {
    pod.file(
      '/etc/app/large.json',
      JSON.stringify(Object.fromEntries(Array.from({ length: 9000 }, (_, at) => [`key${at}`, { value: 'x'.repeat(20), at }]))),
    )
    const { points, text } = await look('/etc/app/large.json')
    expect(points).toMatchObject([{ ok: true }])
    expect(text.split('\n').length).toBeLessThan(200)
    expect(text).toMatch(/^# and \d+ more$/m)
  })
})
