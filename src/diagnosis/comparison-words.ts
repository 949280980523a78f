import type { Comparison } from './comparison.ts'

/** Behind the title of a finding that the healthy replica has, too; else nothing. */
export function alsoText(alsoOn: string | undefined): string {
  return alsoOn === undefined ? '' : ` (also on the healthy replica ${alsoOn})`
}

/** What a comparison says, a line each: which replica, what differs in the specs, in what the checks printed, and in findings. */
export function comparisonLines({ twin, explanation, specs, facts, findings }: Comparison): readonly string[] {
  return [
    `healthy replica: ${twin ? `${twin.name}${twin.node ? ` on node ${twin.node}` : ''}` : 'none'}`,
    ...(explanation === undefined ? [] : [`compared: ${explanation}`]),
    ...specs.map(({ what, target, twin: its }) => `differs: ${what}: ${target}; replica: ${its}`),
    ...facts.flatMap(({ check, target, twin: its }) => [
      ...target.map((line) => `differs: ${check}, target alone: ${line}`),
      ...its.map((line) => `differs: ${check}, replica alone: ${line}`),
    ]),
    ...findings.map(({ severity, title }) => `found on the replica alone: ${severity}: ${title}`),
  ]
}
