import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A key, and a certificate of it for localhost and *.fruit, valid between two dates as openssl writes them: 20200101000000Z. */
export function certificate(from: string, until: string): { key: Buffer; cert: Buffer } {
  const directory = mkdtempSync(join(tmpdir(), 'tls-'))
  const [config = '', key = '', request = '', cert = '', index = ''] = ['config', 'key', 'request', 'cert', 'index'].map((name) =>
    join(directory, name),
  )
  const openssl = (...args: string[]): string => execFileSync('openssl', args, { encoding: 'utf8', stdio: 'pipe' })
  const section = `database = ${index}\nrand_serial = yes\ndefault_md = sha256\nnew_certs_dir = ${directory}\npolicy = any\nx509_extensions = names`
  const sections = `[any]\ncommonName = optional\n[names]\nsubjectAltName = DNS:localhost,DNS:*.fruit\n[req]\ndistinguished_name = any\n`
  writeFileSync(config, `[ca]\ndefault_ca = test\n[test]\n${section}\n${sections}`)
  writeFileSync(index, '')
  openssl('req', '-config', config, '-new', '-newkey', 'rsa:2048', '-nodes', '-subj', '/CN=x', '-keyout', key, '-out', request)
  const dates = ['-startdate', from, '-enddate', until]
  openssl('ca', '-config', config, '-batch', '-notext', '-selfsign', '-keyfile', key, '-in', request, '-out', cert, ...dates)
  const made = { key: readFileSync(key), cert: readFileSync(cert) }
  rmSync(directory, { recursive: true })
  return made
}

/** A date as {@link certificate} takes it, so many days from now. */
export const inDays = (days: number): string => `${new Date(Date.now() + days * 86_400_000).toISOString().replace(/[-:T]|\..*/g, '')}Z`
