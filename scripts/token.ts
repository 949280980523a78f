import { randomBytes } from 'node:crypto'
import { stringify } from 'yaml'
import { hashToken } from '../src/diagnosis/admit/token-hash.ts'

/** `npm run token -- NAME`: makes a bearer token and prints it, this once, with the lines of the configuration that let it in. */
const [name = '', ...more] = process.argv.slice(2)
if (name === '' || name.length > 100 || more.length > 0) {
  console.error('usage: npm run token -- NAME\nNAME, 1 to 100 characters, says whose token it is')
  process.exit(2)
}

const token = `ad_${base62(randomBytes(32))}`
console.log(`Token of ${JSON.stringify(name)}; it is kept nowhere and cannot be shown again:

${token}

For the configuration:

${stringify({ principals: [{ name, tokenHashes: [await hashToken(token)] }] }, { lineWidth: 0 })}`)

/** Digits and letters alone, so that a double click takes the whole token; 43 of them, whatever the bytes. */
function base62(bytes: Uint8Array): string {
  const digits = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'
  let number = bytes.reduce((sum, byte) => sum * 256n + BigInt(byte), 0n)
  let text = ''
  for (let place = 0; place < Math.ceil((bytes.length * 8) / Math.log2(62)); place++) {
    text = digits.charAt(Number(number % 62n)) + text
    number /= 62n
  }
  return text
}
