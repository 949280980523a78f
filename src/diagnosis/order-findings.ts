import { defaultChecks, type Finding } from './diagnosis.ts'

/** What keeps a container or a whole pod from running: nothing that is seen beside it tells more. */
const decisive =
  /^(scheduling|claim|tiny-limit|image|waiting|mount|sandbox|start|hook|init|pod|terminating|readiness-gate|workload(?!\/(?:job-|Progress)))\/|^node\/(silent|not-ready)$|^exit-history\/.+\/oom-killed$/
/** Of one id with an end that was the first: of what ends again and again the sentence says so, before the words of the program. */
const loops = /^[^:]+ again and again, restarted /

const rank = { error: 0, warn: 1, info: 2 } as const
const maxTitle = 400

/**
 * The most telling first: errors before warnings before infos. Of equals: what keeps something from running at all, then what was seen from inside
 * the pod, then what else the API told. Where the API's evidence tells what is wrong, and the container saw the same from inside (the server that a
 * crashing program names is refused; nothing listens where a probe asks), the evidence leads and says both in its sentence.
 */
export function orderFindings(findings: readonly Finding[]): readonly Finding[] {
  const probes = findings.filter(({ check, source }) => check === 'probe' && source === 'evidence')
  // What was seen from inside of what a probe asks is that trouble once more, and not why.
  const place = (one: Finding): number =>
    one.source !== 'container' ? placeOf(one) : probes.some((probe) => isSame(probe, one)) ? 2 : placeInside(one)
  const ordered = findings.toSorted((a, b) => rank[a.severity] - rank[b.severity] || place(a) - place(b))
  const joined: Finding[] = []
  const seen = ordered.filter(({ source, severity }) => source === 'container' && severity === 'error')
  const partners = new Map(
    ordered
      .filter(({ source, severity }) => source === 'evidence' && severity === 'error')
      .flatMap((one) => {
        const partner = seen.find((other) => isSame(one, other))
        return partner ? [[one, partner] as const] : []
      }),
  )
  for (const finding of ordered) {
    if (joined.some(({ id, title }) => id === finding.id && title.startsWith(finding.title))) continue
    for (const [evidence, partner] of partners)
      if (partner === finding && !joined.some(({ id }) => id === evidence.id)) joined.push(both(evidence, partner))
    const own = partners.get(finding)
    joined.push(own ? both(finding, own) : finding)
  }
  return joined
}

function placeOf({ id, check, title }: Finding): number {
  return decisive.test(id) || (check === 'exit-history' && loops.test(title)) ? 0 : 2
}

/** Of what was seen from inside the target itself comes first, then what all of its container use, which runs before all others; then its neighbours. */
function placeInside({ check }: Finding): number {
  if (check === 'cgroup') return 1.1
  return defaultChecks.includes(check) ? 1 : 1.2
}

function both(evidence: Finding, { title }: Finding): Finding {
  const long = `${evidence.title}; ${title}`
  return long.length > maxTitle || evidence.title.includes(title) ? evidence : { ...evidence, title: long }
}

/** Whether the evidence is about what the container saw: the same server, or the port that a probe asks. */
function isSame(evidence: Finding, { id }: Finding): boolean {
  const [check, server = ''] = id.split('/')
  if (evidence.check === 'probe') {
    const port = check === 'listening' ? /^listening\/none\/(\d+)$/.exec(id)?.[1] : /^(?:http|tcp)\/localhost:(\d+)\//.exec(id)?.[1]
    return port !== undefined && evidence.title.includes(`:${port}`)
  }
  if (check !== 'dns' && check !== 'tcp' && check !== 'http') return false
  const host = server.replace(/:\d+$/, '')
  if (evidence.check === 'service')
    return host.split('.')[0] === evidence.id.split('/')[1] || (/^[\d.]+$|^\[/.test(host) && names(evidence.title, host))
  if (!/^(init|exit-history)$/.test(evidence.check) || host === 'localhost') return false
  return names(`${evidence.title}\n${evidence.evidence ?? ''}`, host)
}

function names(text: string, host: string): boolean {
  return host !== '' && new RegExp(`(?<![\\w.-])${host.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')}(?![\\w-])`, 'i').test(text)
}
