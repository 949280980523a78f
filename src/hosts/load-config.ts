import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import type { Config, SecretRef } from '../config.ts'
import { readConfig } from './read-config.ts'

type Environment = Readonly<Record<string, string | undefined>>

export interface LoadedConfig {
  /** Paths in it are absolute. */
  readonly config: Config
  /** The text of a secret that the configuration refers to; it was read at start. */
  readonly secret: (ref: SecretRef) => string
}

/** Reads the file that AUTODIAGNOSE_CONFIG names, for Node, and the secrets that it refers to; throws as {@link readConfig}. */
export function loadConfig(environment: Environment): LoadedConfig {
  const given = environment.AUTODIAGNOSE_CONFIG
  if (!given) {
    throw new Error('Cannot find the configuration: AUTODIAGNOSE_CONFIG is not set; set it to the path of a file such as docs/config.example.yaml')
  }
  const secrets = new Map<string, string>()
  const config = readConfig(resolve(given), 'node', (ref, absolute) => secrets.set(nameOf(ref), readSecret(ref, environment, absolute)))
  return {
    config,
    secret(ref) {
      const text = secrets.get(nameOf(ref))
      if (text === undefined) throw new Error(`Cannot give secret ${nameOf(ref)}: the configuration does not refer to it`)
      return text
    },
  }
}

function nameOf(ref: SecretRef): string {
  return 'env' in ref ? `{env: ${ref.env}}` : `{file: ${ref.file}}`
}

function readSecret(ref: SecretRef, environment: Environment, absolute: (path: string) => string): string {
  if ('env' in ref) {
    const text = environment[ref.env]
    if (!text)
      throw new Error(`environment variable "${ref.env}" is ${text === undefined ? 'not set' : 'empty'}; set it to the secret, or use {file: PATH}`)
    return text
  }
  const file = absolute(ref.file)
  let text: string
  try {
    text = readFileSync(file, 'utf8').replace(/\r?\n$/, '')
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : String(cause)
    throw new Error(`cannot read secret file "${file}": ${message}; put the secret there, or use {env: NAME}`, { cause })
  }
  if (text === '') throw new Error(`secret file "${file}" is empty; put the secret there`)
  return text
}
