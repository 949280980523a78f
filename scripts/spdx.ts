import { createHash } from 'node:crypto'
import { z } from 'zod'
import type { ImageArchive } from './image-archive.ts'

/** Where each of our images lists what is in it. */
export const sbomPath = 'usr/share/sbom/autodiagnose.spdx.json'

const id = z.string().regex(/^SPDXRef-[A-Za-z0-9.-]+$/)
const actor = z.string().regex(/^(Person|Organization|Tool): \S/)
const lengths = { SHA1: 40, SHA256: 64 } as const
const checksum = z
  .object({ algorithm: z.enum(['SHA1', 'SHA256']), checksumValue: z.string().regex(/^[0-9a-f]+$/) })
  .refine(({ algorithm, checksumValue }) => checksumValue.length === lengths[algorithm], 'has not the length of its algorithm')
const license = z.string().min(1)

const packageSchema = z.strictObject({
  SPDXID: id,
  name: z.string().min(1),
  versionInfo: z.string().min(1),
  supplier: z
    .string()
    .regex(/^(NOASSERTION|(Person|Organization): \S.*)$/)
    .optional(),
  homepage: z.url().optional(),
  downloadLocation: z.string().min(1),
  filesAnalyzed: z.boolean(),
  packageVerificationCode: z.strictObject({ packageVerificationCodeValue: z.string().regex(/^[0-9a-f]{40}$/) }).optional(),
  primaryPackagePurpose: z.literal('CONTAINER').optional(),
  checksums: z.array(checksum).optional(),
  sourceInfo: z.string().optional(),
  licenseComments: z.string().optional(),
  licenseConcluded: license,
  licenseDeclared: license,
  copyrightText: z.string(),
  externalRefs: z
    .array(
      z.strictObject({
        referenceCategory: z.literal('PACKAGE-MANAGER'),
        referenceType: z.literal('purl'),
        referenceLocator: z.string().regex(/^pkg:[a-z]+\/[^\s@]+@[^\s@]+$/),
      }),
    )
    .optional(),
})

const fileSchema = z.strictObject({
  SPDXID: id,
  fileName: z.string().startsWith('./'),
  checksums: z.array(checksum).refine((all) => all.some(({ algorithm }) => algorithm === 'SHA1'), 'lacks the SHA1 that SPDX asks for'),
  licenseConcluded: license,
  licenseInfoInFiles: z.array(license),
  copyrightText: z.string(),
})

const relationshipSchema = z.strictObject({
  spdxElementId: id,
  relationshipType: z.enum(['DESCRIBES', 'CONTAINS', 'DEPENDS_ON']),
  relatedSpdxElement: id,
})

/** The part of SPDX 2.3 that our images use (https://spdx.github.io/spdx-spec/v2.3/), ids that are used once, and relationships between what is there. */
export const spdxSchema = z
  .strictObject({
    spdxVersion: z.literal('SPDX-2.3'),
    dataLicense: z.literal('CC0-1.0'),
    SPDXID: z.literal('SPDXRef-DOCUMENT'),
    name: z.string().min(1),
    documentNamespace: z.url().refine((url) => !url.includes('#'), 'has a fragment'),
    creationInfo: z.strictObject({ created: z.string().regex(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/), creators: z.array(actor).min(1) }),
    documentDescribes: z.array(id).min(1),
    packages: z.array(packageSchema).min(2),
    files: z.array(fileSchema).min(1),
    relationships: z.array(relationshipSchema).min(1),
  })
  .superRefine((document, context) => {
    const ids = [document.SPDXID, ...[...document.packages, ...document.files].map(({ SPDXID }) => SPDXID)]
    const known = new Set(ids)
    const complain = (message: string) => context.addIssue({ code: 'custom', message })
    for (const each of known) if (ids.indexOf(each) !== ids.lastIndexOf(each)) complain(`${each} is there twice`)
    const named = document.relationships.flatMap(({ spdxElementId, relatedSpdxElement }) => [spdxElementId, relatedSpdxElement])
    const analyzed = new Set(document.packages.filter(({ filesAnalyzed }) => filesAnalyzed).map(({ SPDXID }) => SPDXID))
    const files = new Set(document.files.map(({ SPDXID }) => SPDXID))
    for (const { spdxElementId, relatedSpdxElement } of document.relationships)
      if (files.has(relatedSpdxElement) && !analyzed.has(spdxElementId)) complain(`${spdxElementId} has files, and says that none was looked at`)
    const sums = document.files.map(({ checksums }) => checksums.find(({ algorithm }) => algorithm === 'SHA1')?.checksumValue ?? '').toSorted()
    for (const { SPDXID, filesAnalyzed, packageVerificationCode: code } of document.packages)
      if (filesAnalyzed && code?.packageVerificationCodeValue !== createHash('sha1').update(sums.join('')).digest('hex'))
        complain(`${SPDXID} has not the verification code of its files`)
    for (const each of new Set([...named, ...document.documentDescribes])) if (!known.has(each)) complain(`${each} is nowhere`)
  })

export type Spdx = z.infer<typeof spdxSchema>

/** Of Debian and others; ours is none of them. */
export const foreignPackages = ({ packages }: Spdx): Spdx['packages'] => packages.filter(({ externalRefs }) => externalRefs !== undefined)

/** The list in an image, checked: its form, that Debian's own list of the image has the same packages, and that our files are those that are there. */
export function readSbom(image: Pick<ImageArchive, 'files'>): Spdx {
  const data = image.files.get(sbomPath)
  if (data === undefined) throw new Error(`Cannot read the list of what is in the image: it has no /${sbomPath}`)
  const document = spdxSchema.parse(JSON.parse(Buffer.from(data).toString('utf8')))
  const complaints = [...packageComplaints(document, image.files), ...fileComplaints(document, image.files)]
  if (complaints.length > 0) throw new Error(`The list of what is in the image is not what is in it: ${complaints.join('; ')}`)
  return document
}

/** `Package: NAME` and `Version: V` of each package, as dpkg has them for images without it. */
function packageComplaints({ packages }: Spdx, files: ImageArchive['files']): readonly string[] {
  const listed = new Set(
    packages
      .filter(({ externalRefs }) => externalRefs?.[0]?.referenceLocator.startsWith('pkg:deb/'))
      .map(({ name, versionInfo }) => `${name} ${versionInfo}`),
  )
  const there = new Set(
    [...files]
      .filter(([path]) => path.startsWith('var/lib/dpkg/status.d/'))
      .map(([, data]) => {
        const field = (name: string) => new RegExp(`^${name}: (.*)$`, 'm').exec(Buffer.from(data).toString('utf8'))?.[1]
        return `${field('Package')} ${field('Version')}`
      }),
  )
  return [
    ...[...there].filter((name) => !listed.has(name)).map((name) => `${name} is not listed`),
    ...[...listed].filter((name) => !there.has(name)).map((name) => `${name} is not there`),
  ]
}

function fileComplaints(document: Spdx, files: ImageArchive['files']): readonly string[] {
  return document.files.flatMap(({ fileName, checksums }) => {
    const data = files.get(fileName.slice(2))
    if (data === undefined) return [`${fileName} is not there`]
    const wrong = checksums.filter(({ algorithm, checksumValue }) => createHash(algorithm.toLowerCase()).update(data).digest('hex') !== checksumValue)
    return wrong.map(({ algorithm }) => `${fileName} has another ${algorithm}`)
  })
}
