import { type AlertRef, type Diagnosis, type Finding, type State, severities, type Target } from '../diagnosis/diagnosis.ts'

const stateWords: Readonly<Record<State, string>> = {
  accepted: 'waiting to start',
  gathering: 'reading evidence',
  injecting: 'adding container',
  listening: 'following log',
  sealing: 'packing bundle',
  sharing: 'writing report',
  done: 'done',
}

/** How it ended, or where it stands. */
export function Badge({ diagnosis }: { diagnosis: Pick<Diagnosis, 'outcome' | 'state'> }) {
  const { outcome, state } = diagnosis
  return <span class={`badge ${outcome ?? 'running'}`}>{outcome ?? stateWords[state]}</span>
}

/** `2026-11-23 22:10:03 UTC` */
export function Time({ at }: { at: string }) {
  return <time datetime={at}>{at.replace(/^(\S+)T(\d\d:\d\d:\d\d)(\.\d+)?Z$/, '$1 $2 UTC')}</time>
}

export function targetText(target: Target): string {
  if (target.kind === 'pod') return `${target.namespace}/${target.name}`
  if (target.kind === 'workload') return `${target.namespace}/${target.workload}/${target.name}`
  return `${target.namespace}/${target.selector}`
}

/** The most telling first: what the target has alone before what a healthy replica has, too; then the worst. */
export function byTelling(findings: readonly Finding[]): readonly Finding[] {
  const rank = ({ severity, alsoOn }: Finding) => severities.indexOf(severity) + (alsoOn === undefined ? 0 : severities.length)
  return findings.toSorted((a, b) => rank(a) - rank(b))
}

/** `1536` → `1.5 KiB` */
export function sizeText(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB']
  let size = bytes
  let unit = 0
  for (; size >= 1024 && unit < units.length - 1; unit++) size /= 1024
  return `${unit === 0 || size >= 100 ? Math.round(size) : size.toFixed(1)} ${units[unit]}`
}

/** `95000` → `1 min 35 s` */
export function durationText(ms: number): string {
  const seconds = Math.max(0, ms) / 1000
  if (seconds < 10) return `${seconds.toFixed(1)} s`
  return seconds < 60 ? `${Math.round(seconds)} s` : `${Math.floor(seconds / 60)} min ${Math.round(seconds % 60)} s`
}

/** A URL that a link may lead to; anything but http and https is shown as text only. */
export function linkable(url: string | undefined): string | undefined {
  return url !== undefined && /^https?:$/.test(URL.parse(url)?.protocol ?? '') ? url : undefined
}

/** Where an alert leads to, each behind a dot; anything but http and https is left out. */
export function AlertLinks({ links }: { links: AlertRef['links'] }) {
  return (
    <>
      {links.map(({ label, url }) =>
        linkable(url) === undefined ? null : (
          <>
            {' · '}
            <a href={url} rel="noreferrer">
              {label}
            </a>
          </>
        ),
      )}
    </>
  )
}

/** What stands between backticks is code. */
export function Prose({ text }: { text: string }) {
  return <>{text.split('`').map((part, at) => (at % 2 === 1 ? <code>{part}</code> : part))}</>
}
