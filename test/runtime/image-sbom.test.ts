import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { foreignPackages, readSbom, type Spdx, sbomPath } from '../../scripts/spdx.ts'

const directory = mkdtempSync(join(tmpdir(), 'sbom-'))
afterAll(() => rmSync(directory, { recursive: true }))

const sum = (algorithm: string, text: string) => createHash(algorithm).update(text).digest('hex')
const runner = '#!/bin/sh\n'
const awk = process.env.AWK ?? 'awk'

/** Lines as diagnostics/image/finish writes them, and what the image then has. */
function image(change: (document: Spdx) => unknown = () => undefined, more: Readonly<Record<string, string>> = {}) {
  const packages = [
    [
      'curl',
      '7.88.1-10+deb12u15',
      'amd64',
      'curl',
      '7.88.1-10+deb12u15',
      'A "B" <a@example.com>',
      'https://example.com/',
      'a'.repeat(64),
      '',
      'curl; MIT',
    ],
    ['libc6', '2.36-9', 'amd64', 'glibc', '2.36-9', 'C <c@example.com>', '', 'b'.repeat(64), '', ''],
    ['py-spy', '0.4.3', 'amd64', '', '', '', 'https://example.com/', 'c'.repeat(64), 'pkg:pypi/py-spy@0.4.3', 'MIT'],
  ]
  const needs = ['libc6 (>= 2.34), libgone | libc6, none', '', '']
  const [packageFile, fileFile] = [join(directory, 'packages'), join(directory, 'files')]
  writeFileSync(packageFile, packages.map((fields, index) => `${[...fields, needs[index]].join('\t')}\n`).join(''))
  writeFileSync(fileFile, `./autodiagnose\t${sum('sha1', runner)}\t${sum('sha256', runner)}\n`)
  const variables = { name: 'net', created: '2026-11-27T00:00:00Z', digest: 'd', ours: 'e', verification: sum('sha1', sum('sha1', runner)) }
  const options = Object.entries(variables).flatMap(([name, value]) => ['-v', `${name}=${value}`])
  const made = execFileSync(awk, ['-f', 'diagnostics/image/spdx.awk', ...options, packageFile, fileFile], { encoding: 'utf8' })
  const document = JSON.parse(made) as Spdx
  change(document)
  const status = (name: string, version: string) => `Package: ${name}\nVersion: ${version}\n`
  const files = {
    autodiagnose: runner,
    'var/lib/dpkg/status.d/curl': status('curl', '7.88.1-10+deb12u15'),
    'var/lib/dpkg/status.d/libc6': status('libc6', '2.36-9'),
    [sbomPath]: JSON.stringify(document),
    ...more,
  }
  return { files: new Map(Object.entries(files).map(([path, text]) => [path, Buffer.from(text)])) }
}

describe('the list of what is in an image', () => {
  test('names packages with their archives, and what they depend on', () => {
    const document = readSbom(image())
    expect(foreignPackages(document).map(({ externalRefs }) => externalRefs?.[0]?.referenceLocator)).toEqual([
      'pkg:deb/debian/curl@7.88.1-10%2Bdeb12u15?arch=amd64',
      'pkg:deb/debian/libc6@2.36-9?arch=amd64',
      'pkg:pypi/py-spy@0.4.3',
    ])
    expect(document.packages.find(({ name }) => name === 'curl')).toMatchObject({
      supplier: 'Organization: A "B" <a@example.com>',
      sourceInfo: 'built from the Debian source package curl 7.88.1-10+deb12u15',
      licenseComments: 'its copyright file names: curl; MIT',
      checksums: [{ algorithm: 'SHA256', checksumValue: 'a'.repeat(64) }],
    })
    expect(document.relationships.filter(({ relationshipType }) => relationshipType === 'DEPENDS_ON')).toEqual([
      { spdxElementId: 'SPDXRef-package-curl', relationshipType: 'DEPENDS_ON', relatedSpdxElement: 'SPDXRef-package-libc6' },
    ])
  })

  test.each<[string, RegExp, (document: Spdx) => unknown]>([
    [
      'a package twice',
      /SPDXRef-package-libc6 is there twice/,
      ({ packages }) => packages.push({ ...(packages.find(({ name }) => name === 'libc6') as Spdx['packages'][number]) }),
    ],
    [
      'a relationship to nothing',
      /SPDXRef-gone is nowhere/,
      ({ relationships }) => relationships.push({ spdxElementId: 'SPDXRef-image', relationshipType: 'CONTAINS', relatedSpdxElement: 'SPDXRef-gone' }),
    ],
    [
      'files of what was not looked at',
      /SPDXRef-image has files/,
      ({ relationships }) =>
        relationships.push({ spdxElementId: 'SPDXRef-image', relationshipType: 'CONTAINS', relatedSpdxElement: 'SPDXRef-file-autodiagnose' }),
    ],
    [
      'another version than is there',
      /curl 7\.88\.1-10\+deb12u15 is not listed; curl 9 is not there/,
      ({ packages }) => Object.assign(packages.find(({ name }) => name === 'curl') ?? {}, { versionInfo: '9' }),
    ],
    ['a time that is none', /created/, ({ creationInfo }) => Object.assign(creationInfo, { created: 'yesterday' })],
    [
      'a checksum of another file',
      /\.\/autodiagnose has another SHA256/,
      ({ files }) => Object.assign(files[0]?.checksums[1] ?? {}, { checksumValue: 'f'.repeat(64) }),
    ],
  ])('is refused with %s', (_, said, change) => {
    expect(() => readSbom(image(change))).toThrow(said)
  })

  test('is refused where the image has what is not listed, or no list', () => {
    expect(() => readSbom(image(undefined, { 'var/lib/dpkg/status.d/nmap': 'Package: nmap\nVersion: 7\n' }))).toThrow('nmap 7 is not listed')
    expect(() => readSbom({ files: new Map() })).toThrow(`it has no /${sbomPath}`)
  })
})
