const offset = 14_695_981_039_346_656_037n
const prime = 1_099_511_628_211n
/** Stands behind each name and each value; no UTF-8 has this byte. */
const separator = 0xff

/**
 * Of the labels, as Alertmanager computes it: FNV-1a of 64 bits, 16 hexadecimal digits. An alert whose sender leaves it out so has the key that
 * it has from one that does not: https://github.com/prometheus/common/blob/main/model/signature.go
 */
export function fingerprintOf(labels: Readonly<Record<string, string>>): string {
  let sum = offset
  const add = (byte: number) => {
    sum = BigInt.asUintN(64, (sum ^ BigInt(byte)) * prime)
  }
  const encoder = new TextEncoder()
  for (const name of Object.keys(labels).sort()) {
    for (const text of [name, labels[name] ?? '']) {
      for (const byte of encoder.encode(text)) add(byte)
      add(separator)
    }
  }
  return sum.toString(16).padStart(16, '0')
}
