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

export interface Chain {
  readonly key: string
  /** In PEM; the leaf, of localhost, says where the issuer's certificate can be fetched. */
  readonly leaf: string
  readonly intermediate: string
  readonly root: string
}

/** A root, an intermediate authority and a certificate of it for localhost, all valid for a month. */
export function certificateChain(): Chain {
  const directory = mkdtempSync(join(tmpdir(), 'chain-'))
  const at = (name: string): string => join(directory, name)
  const openssl = (...args: string[]): string => execFileSync('openssl', args, { encoding: 'utf8', stdio: 'pipe' })
  const key = (name: string): string[] => ['-newkey', 'rsa:2048', '-nodes', '-keyout', at(`${name}.key`), '-subj', `/O=Fruit/CN=Fruit ${name}`]
  const sign = (name: string, by: string, extensions: string): void => {
    writeFileSync(at('extensions'), extensions)
    openssl('req', ...key(name), '-new', '-out', at('request'))
    const issuer = ['-CA', at(`${by}.pem`), '-CAkey', at(`${by}.key`), '-CAcreateserial', '-CAserial', at('serial')]
    openssl('x509', '-req', '-in', at('request'), ...issuer, '-days', '30', '-extfile', at('extensions'), '-out', at(`${name}.pem`))
  }
  openssl('req', '-x509', ...key('Root'), '-days', '30', '-out', at('Root.pem'))
  sign('Middle', 'Root', 'basicConstraints = CA:true\n')
  sign('leaf', 'Middle', 'subjectAltName = DNS:localhost\nauthorityInfoAccess = caIssuers;URI:http://fruit.example/middle.crt\n')
  const read = (name: string): string => readFileSync(at(name), 'utf8')
  const made = { key: read('leaf.key'), leaf: read('leaf.pem'), intermediate: read('Middle.pem'), root: read('Root.pem') }
  rmSync(directory, { recursive: true })
  return made
}
