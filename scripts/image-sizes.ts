export interface ImageSize {
  readonly image: string
  /** What a node pulls. */
  readonly packedBytes: number
  /** What its files take. */
  readonly unpackedBytes: number
  readonly packages: number
}

/** A table in Markdown, in MB of a million bytes, as registries tell them. */
export function sizeTable(rows: readonly ImageSize[]): string {
  const lines = rows.map(
    ({ image, packedBytes, unpackedBytes, packages }) => `| \`${image}\` | ${mb(packedBytes)} | ${mb(unpackedBytes)} | ${packages} |`,
  )
  return ['| Image | Pulled | Unpacked | Packages |', '| --- | --- | --- | --- |', ...lines].join('\n')
}

/** Rows of {@link sizeTable} in a text, in MB. */
export function readSizeTable(
  text: string,
): ReadonlyMap<string, { readonly packedMb: number; readonly unpackedMb: number; readonly packages: number }> {
  const rows = text.matchAll(/^\| `([a-z]+)` \| ([\d.]+) MB \| ([\d.]+) MB \| (\d+) \|/gm)
  return new Map(
    [...rows].map(([, image = '', packed, unpacked, packages]) => [
      image,
      { packedMb: Number(packed), unpackedMb: Number(unpacked), packages: Number(packages) },
    ]),
  )
}

const mb = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`
