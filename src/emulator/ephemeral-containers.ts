import { isDeepStrictEqual } from 'node:util'
import type { Raw, RawContainer, RawPod } from '../ports/cluster/cluster.ts'
import { ApiError, badRequest, duplicate, forbidden, invalid, missing, required, wrong } from './api-error.ts'

/** Fields of `v1.EphemeralContainer`; the API server drops any other one. */
const known =
  'name image command args workingDir ports envFrom env resources resizePolicy restartPolicy volumeMounts volumeDevices livenessProbe readinessProbe startupProbe lifecycle terminationMessagePath terminationMessagePolicy imagePullPolicy securityContext stdin stdinOnce tty targetContainerName'.split(
    ' ',
  )
const notForEphemeral = ['ports', 'livenessProbe', 'readinessProbe', 'startupProbe', 'lifecycle', 'resources', 'resizePolicy', 'restartPolicy']
const label = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/
const labelRule =
  "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')"

/**
 * What a strategic-merge PATCH of `pods/ephemeralcontainers` makes of the pod: the very same object if it changes nothing.
 * Only `metadata.uid` and `spec.ephemeralContainers` of the patch are looked at, as in a real server.
 * Source: https://github.com/kubernetes/kubernetes/blob/v1.34.4/pkg/apis/core/validation/validation.go (ValidatePodEphemeralContainersUpdate)
 */
export function withEphemeralContainers(pod: RawPod, patch: unknown): RawPod {
  if (Array.isArray(patch)) throw badRequest('json: cannot unmarshal array into Go value of type map[string]interface {}')
  const { metadata, spec } = patch as { metadata?: Raw; spec?: { ephemeralContainers?: readonly Raw[] } }
  const before = pod.spec.ephemeralContainers ?? []
  const after = merge(before, spec?.ephemeralContainers ?? [])
  const { name } = pod.metadata
  const uid = metadata?.uid
  if (uid !== undefined && uid !== pod.metadata.uid) {
    const cause = wrong('metadata.uid', uid, 'field is immutable')
    throw invalid('Pod', name, [cause, cause])
  }
  const complaints = after.flatMap((container, index) => complain(pod, container, after.slice(0, index), `spec.ephemeralContainers[${index}]`))
  if (complaints.length > 0) throw invalid('Pod', name, complaints)
  if (isDeepStrictEqual(before, after)) return pod
  if (pod.metadata.annotations?.['kubernetes.io/config.mirror'] !== undefined) {
    throw invalid('Pod', name, [forbidden('[]', 'static pods do not support ephemeral containers')])
  }
  for (const container of before) {
    const now = after.find((one) => one.name === container.name)
    if (!isDeepStrictEqual(now, container)) throw invalid('Pod', name, [forbidden('spec.ephemeralContainers', changed(container, now))])
  }
  const generation = (pod.metadata.generation ?? 0) + 1
  return { ...pod, metadata: { ...pod.metadata, generation }, spec: { ...pod.spec, ephemeralContainers: after } }
}

/** Merges by name; what is new comes first, as in the real merge without a given order. */
function merge(before: readonly RawContainer[], patch: readonly Raw[]): RawContainer[] {
  for (const container of patch) {
    if (container.$patch !== undefined) throw badRequest(`The emulator does not know the directive $patch: ${JSON.stringify(container.$patch)}`)
    if (container.name === undefined)
      throw new ApiError(500, undefined, `map: ${JSON.stringify(container)} does not contain declared merge key: name`)
  }
  const added = patch.filter((container) => !before.some(({ name }) => name === container.name))
  const kept = before.map((container) => ({ ...container, ...patch.find(({ name }) => name === container.name) }))
  return [...added, ...kept].map(withDefaults)
}

/** What the API server fills in. */
function withDefaults(container: Raw): RawContainer {
  const image = String(container.image ?? '')
  const latest = !image.includes('@') && (/:latest$/.test(image) || !/:[^/]*$/.test(image))
  const given = Object.entries(container).filter(([field, value]) => known.includes(field) && value !== null)
  return {
    resources: {},
    terminationMessagePath: '/dev/termination-log',
    terminationMessagePolicy: 'File',
    imagePullPolicy: latest ? 'Always' : 'IfNotPresent',
    ...Object.fromEntries(given),
  } as unknown as RawContainer
}

function complain(pod: RawPod, container: RawContainer, earlier: readonly RawContainer[], at: string) {
  const { name, image, targetContainerName } = container
  const others = [...pod.spec.containers, ...(pod.spec.initContainers ?? [])].map((one) => one.name)
  const set = notForEphemeral.filter((field) => !isEmpty(container[field]))
  return [
    ...(name === '' ? [required(`${at}.name`)] : label.test(name) ? [] : [wrong(`${at}.name`, name, labelRule)]),
    ...([...others, ...earlier.map((one) => one.name)].includes(name) ? [duplicate(`${at}.name`, name)] : []),
    ...(image ? [] : [required(`${at}.image`)]),
    ...(!targetContainerName || others.includes(targetContainerName) ? [] : [missing(`${at}.targetContainerName`, targetContainerName)]),
    ...set.map((field) => forbidden(`${at}.${field}`, 'cannot be set for an Ephemeral Container')),
  ]
}

const isEmpty = (value: unknown) => value === undefined || value === null || (typeof value === 'object' && Object.keys(value).length === 0)

function changed(before: RawContainer, after: RawContainer | undefined): string {
  const fields = known.filter((field) => !isDeepStrictEqual(before[field], after?.[field]))
  const lines = fields.flatMap((field) => [`-  "${field}": ${JSON.stringify(before[field])}`, `+  "${field}": ${JSON.stringify(after?.[field])}`])
  return `existing ephemeral containers "${before.name}" may not be changed\n${lines.join('\n')}\n`
}
