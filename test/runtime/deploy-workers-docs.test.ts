import { execFileSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { experimental_getWranglerCommands, unstable_readConfig } from 'wrangler'
import { parseAllDocuments } from 'yaml'
import { readConfig } from '../../src/hosts/read-config.ts'
import { needs } from '../needs.ts'

const page = readFileSync('docs/deploy-workers.md', 'utf8')
const configFile = 'infra/workers/autodiagnose.yaml'

/** The text of the page's blocks in one language. */
function blocks(language: string, of = page): string[] {
  return [...of.matchAll(new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\`$`, 'gm'))].map(([, text = '']) => text)
}

/** Files that a page has the reader write: blocks that begin with "# deploy/…". */
function filesOf(text: string): Map<string, string> {
  return new Map(blocks('yaml', text).flatMap((block) => [...block.matchAll(/^# (deploy\/[\w./-]+)/g)].map(([, name = '']) => [name, block])))
}

const inline = [...page.replaceAll(/^```[\s\S]*?^```$/gm, '').matchAll(/`([^`\n]+)`/g)].map(([, code = '']) => code)

/** What is run, one program each, in words: the shell blocks, line by line and pipe by pipe, and what the prose and the comments of files name. */
const commands = [
  ...blocks('sh').flatMap((block) => block.replaceAll('\\\n', ' ').trim().split('\n')),
  ...inline.filter((code) => /^([A-Z_]+=\S+ )?(npx wrangler|npm run|curl|kubectl) /.test(code)),
  ...['wrangler.toml', configFile].flatMap((file) =>
    [...readFileSync(file, 'utf8').matchAll(/"((?:npx wrangler|npm run) [^"]+)"/g)].map(([, code = '']) => code),
  ),
]
  .flatMap((line) => line.split(' | '))
  .map((line) => wordsOf(line.replace(/^[A-Z_]+=\S+ /, '')))

function wordsOf(line: string): string[] {
  return (line.match(/(?:'[^']*'|"[^"]*"|[^\s'"])+/g) ?? []).map((word) => word.replaceAll(/['"]/g, ''))
}

const wrangler = commands.filter(([npx, program]) => npx === 'npx' && program === 'wrangler').map((words) => words.slice(2))

/** Of wrangler.toml, what is looked at here: wrangler's own type of it is not to be had. */
interface Toml {
  readonly name: string
  readonly workers_dev?: boolean
  readonly routes?: readonly unknown[]
  readonly d1_databases: readonly { readonly database_name: string; readonly migrations_dir: string }[]
  readonly r2_buckets: readonly { readonly binding: string; readonly bucket_name: string }[]
  readonly vpc_services: readonly { readonly binding: string }[]
  readonly workflows: readonly { readonly name: string }[]
}

function tomlOf(config: string): Toml {
  return unstable_readConfig({ config }) as Toml
}

interface Option {
  readonly alias?: string | readonly string[]
  readonly type?: string
  readonly choices?: readonly unknown[]
  readonly demandOption?: unknown
  readonly conflicts?: string | readonly string[]
}

const { registry, globalFlags } = experimental_getWranglerCommands()

/** What wrangler itself would say against these words. It is asked for its commands alone; none is run. */
function complaints(words: readonly string[]): string[] {
  let node = registry
  let at = 0
  for (; at < words.length; at++) {
    const below = node.subtree.get(words[at] ?? '')
    if (!below) break
    node = below
  }
  const { definition } = node
  if (definition?.type !== 'command') return [`there is no command "${words.join(' ')}"`]
  const options: Readonly<Record<string, Option>> = { ...(globalFlags as object), ...(definition.args as object) }
  const positional = definition.positionalArgs ?? []
  const given = new Map<string, string | undefined>()
  const found: string[] = []
  const rest = [...words.slice(at)]
  for (let word = rest.shift(), place = 0; word !== undefined; word = rest.shift()) {
    const [, flag, value] = /^--?([a-zA-Z][\w-]*)(?:=(.*))?$/.exec(word) ?? []
    const name =
      flag === undefined ? positional[place++] : Object.keys(options).find((key) => key === flag || [options[key]?.alias].flat().includes(flag))
    if (name === undefined) found.push(`there is no place for "${word}"`)
    else given.set(name, flag === undefined ? word : (value ?? (options[name]?.type === 'boolean' ? undefined : (rest.shift() ?? ''))))
  }
  for (const [name, { choices, demandOption, conflicts }] of Object.entries(options)) {
    const value = given.get(name)
    if (demandOption === true && !given.has(name)) found.push(`"${name}" is missing`)
    if (value !== undefined && choices && !choices.includes(value)) found.push(`"${name}" cannot be "${value}"`)
    if (value === '' || value?.startsWith('-')) found.push(`"${name}" has no value`)
    if (given.has(name))
      found.push(...[conflicts ?? []].flat().flatMap((other) => (given.has(other) ? [`"${name}" and "${other}" exclude each other`] : [])))
  }
  return found
}

describe('docs/deploy-workers.md', () => {
  test.each(wrangler.map((words) => [words.join(' '), words] as const))('npx wrangler %s', (_, words) => {
    expect(complaints(words)).toEqual([])
  })

  test.each([
    ['d1 migrate apply autodiagnose --remote', 'there is no command'],
    ['d1 migrations apply --remote', '"database" is missing'],
    ['d1 migrations apply autodiagnose --remotely', 'there is no place for "--remotely"'],
    ['r2 bucket delete autodiagnose bundles', 'there is no place for "bundles"'],
    ['vpc service create k --type udp --tunnel-id T', '"type" cannot be "udp"'],
    ['vpc service create k --type http --tunnel-id T --hostname h --ipv4 10.0.0.1', 'exclude each other'],
    ['d1 time-travel restore autodiagnose --bookmark', '"bookmark" has no value'],
  ])('what wrangler would refuse is found: %s', (line, complaint) => {
    expect(complaints(wordsOf(line)).join('\n')).toContain(complaint)
  })

  test('names resources as wrangler.toml does', () => {
    const { name, d1_databases, r2_buckets, workflows } = tomlOf('wrangler.toml')
    const named = (...prefix: string[]) => wrangler.filter((words) => prefix.every((word, at) => words[at] === word))
    const [database, bucket, workflow] = [d1_databases[0], r2_buckets[0], workflows[0]]
    for (const words of named('d1')) expect(words).toContain(database?.database_name)
    for (const words of named('r2', 'bucket')) expect(words).toContain(bucket?.bucket_name)
    for (const words of named('workflows')) expect(words).toContain(workflow?.name)
    expect(page).toContain(`https://${name}.SUBDOMAIN.workers.dev`)
    expect(existsSync(database?.migrations_dir ?? '')).toBe(true)
  })

  test('runs npm scripts that there are', () => {
    const { scripts } = JSON.parse(readFileSync('package.json', 'utf8')) as { scripts: Record<string, string> }
    const run = commands.filter(([program]) => program === 'npm').map(([, verb, name]) => (verb === 'run' ? name : verb))
    expect(run).toContain('deploy:worker')
    expect(run.filter((name) => name !== 'ci' && !(name && name in scripts))).toEqual([])
  })

  test('names files that there are, or that it has the reader write', () => {
    const links = [...page.matchAll(/\]\((?!https?:)([^)#]+)/g)].map(([, target = '']) => join('docs', target))
    const paths = [...commands.flat(), ...inline].filter((word) => /^(infra|docs|src|test|deploy)\/[\w./-]+$/.test(word))
    expect(links.length + paths.length).toBeGreaterThan(5)
    const written = [...filesOf(page).keys(), 'deploy/shop/kustomization.yaml']
    const there = (path: string) => existsSync(path) || written.some((file) => file === path || file.startsWith(path))
    expect([...links, ...paths].filter((path) => !there(path))).toEqual([])
  })
})

describe('infra/workers', () => {
  let directory: string
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'deploy-workers-'))
  })
  afterEach(() => rmSync(directory, { recursive: true }))

  const written = (name: string, text: string) => {
    const file = join(directory, name)
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, text)
    return file
  }
  /** The configuration, and the secrets that it names. */
  const configured = (text: string) => {
    const secrets: string[] = []
    const config = readConfig(written('autodiagnose.yaml', text), 'workers', (ref) => {
      if ('env' in ref) secrets.push(ref.env)
    })
    return { config, secrets }
  }
  const config = readFileSync(configFile, 'utf8')
  const toml = readFileSync('wrangler.toml', 'utf8')

  test('every secret of the configuration is set by a command of the page, and no other', () => {
    const put = wrangler.filter(([noun, verb]) => noun === 'secret' && verb === 'put').map(([, , name = '']) => name)
    const { secrets } = configured(config)
    expect(secrets.length).toBeGreaterThan(0)
    expect(secrets.filter((name) => !put.includes(name))).toEqual([])
    const known = readFileSync('docs/config.example.yaml', 'utf8')
    expect(put.filter((name) => name !== 'NAME' && !secrets.includes(name) && !known.includes(`{ env: ${name} }`))).toEqual([])
    const vars = /^printf .* > \.dev\.vars$/m.exec(page)?.[0] ?? ''
    expect(secrets.filter((name) => !vars.includes(`${name}=`))).toEqual([])
  })

  test.each([
    ['as it is', false],
    ['with the VPC service', true],
  ])('every binding of the configuration is in wrangler.toml, %s', (_, vpc) => {
    const uncomment = (text: string, from: RegExp) => text.replaceAll(from, '$1')
    const { store, clusters } = configured(vpc ? uncomment(config, /# (binding: CLUSTER)$/gm) : config).config
    const file = written('wrangler.toml', vpc ? uncomment(toml, /^# (\[\[vpc_services\]\]|binding = .*|service_id = .*)$/gm) : toml)
    const { r2_buckets, vpc_services } = tomlOf(file)
    expect(r2_buckets.map(({ binding }) => binding)).toContain(store.kind === 'r2' ? store.binding : '')
    const wanted = Object.values(clusters).flatMap((cluster) => ('binding' in cluster && cluster.binding ? [cluster.binding] : []))
    expect(wanted).toEqual(vpc ? ['CLUSTER'] : [])
    expect(vpc_services.map(({ binding }) => binding)).toEqual(wanted)
  })

  test('the domain goes where the page says', () => {
    const [lines = ''] = blocks('toml')
    const file = written('wrangler.toml', toml.replace(/^\[/m, `${lines}[`))
    const { routes, workers_dev } = tomlOf(file)
    expect({ routes, workers_dev }).toEqual({ routes: [{ pattern: 'autodiagnose.example.com', custom_domain: true }], workers_dev: false })
  })

  describe('the cluster', () => {
    needs('kubectl')

    test("kustomize builds the page's overlay, without a service in the cluster", () => {
      cpSync('infra', join(directory, 'infra'), { recursive: true })
      const files = new Map([...filesOf(readFileSync('docs/deploy-kubernetes.md', 'utf8')), ...filesOf(page)])
      for (const name of ['deploy/kustomization.yaml', 'deploy/shop/kustomization.yaml']) written(name, files.get(name) ?? '')
      const built = execFileSync('kubectl', ['kustomize', join(directory, 'deploy')], { encoding: 'utf8' })
      const kinds = parseAllDocuments(built).map((document) => `${document.get('kind')} ${document.getIn(['metadata', 'namespace']) ?? ''}`.trim())
      expect(kinds).toEqual(
        expect.arrayContaining(['ValidatingAdmissionPolicy', 'Role autodiagnose', 'Secret autodiagnose', 'Role shop', 'RoleBinding shop']),
      )
      expect(kinds.filter((kind) => /^(Deployment|Service|ConfigMap|PersistentVolumeClaim) /.test(kind))).toEqual([])
      expect(built).not.toContain('sha256:000')
    })
  })

  test('cloudflared may run where the namespace enforces restricted', () => {
    const [document, ...more] = parseAllDocuments(readFileSync('infra/workers/cloudflared.yaml', 'utf8'))
    expect(more).toEqual([])
    const pod = ['spec', 'template', 'spec']
    const container = [...pod, 'containers', 0]
    expect(document?.getIn([...pod, 'securityContext', 'runAsNonRoot'])).toBe(true)
    expect(document?.getIn([...pod, 'securityContext', 'seccompProfile', 'type'])).toBe('RuntimeDefault')
    expect(document?.getIn([...container, 'securityContext', 'allowPrivilegeEscalation'])).toBe(false)
    expect(document?.getIn([...container, 'securityContext', 'capabilities', 'drop', 0])).toBe('ALL')
    expect(page).toContain(`create secret generic ${document?.getIn([...container, 'env', 0, 'valueFrom', 'secretKeyRef', 'name'])} `)
  })
})
