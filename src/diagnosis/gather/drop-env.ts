import type { RawPod } from '../../ports/cluster/cluster.ts'
import { hidden } from '../redact/redactor.ts'

/** Annotations in which tools keep the manifest as it was applied, some as base64 of an archive. */
const manifestCopy = /^kapp\.k14s\.io\/original$|[/.-]last-applied(?:-config(?:uration)?)?$/
/** A list of variables in YAML. */
const yamlEnv = /(?:^|\n)[ \t-]*["']?env["']?[ \t]*:[ \t]*(?:#[^\n]*)?(?:\r?\n|\[)/

/**
 * A copy of the pod without the literal values of environment variables, whatever they are. An annotation may hold the manifest once more: one that is
 * known for it, or has variables in YAML, is hidden whole; in one that is JSON the values are dropped as in the spec.
 */
export function dropEnv(pod: RawPod): { readonly value: unknown; readonly dropped: number } {
  let dropped = 0
  const walk = (node: unknown, key?: string): unknown => {
    if (typeof node !== 'object' || node === null) return node
    if (Array.isArray(node)) return node.map((item) => (key === 'env' ? withoutValue(item) : walk(item)))
    const inner = (name: string, child: unknown) => (key === 'annotations' && typeof child === 'string' ? annotation(name, child) : walk(child, name))
    return Object.fromEntries(Object.entries(node).map(([name, child]) => [name, inner(name, child)]))
  }
  const withoutValue = (variable: unknown): unknown => {
    if (typeof variable !== 'object' || variable === null || !('value' in variable) || variable.value === '') return variable
    dropped += 1
    return { ...variable, value: hidden }
  }
  const annotation = (name: string, text: string): string => {
    if (manifestCopy.test(name)) return hidden
    if (!text.includes('env')) return text
    const before = dropped
    try {
      const without = JSON.stringify(walk(JSON.parse(text)))
      return dropped > before ? without : text
    } catch {
      if (!yamlEnv.test(text)) return text
      dropped += 1
      return hidden
    }
  }
  return { value: walk(pod), dropped }
}
