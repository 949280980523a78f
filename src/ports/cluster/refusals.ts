import type { RefusalCode } from '../../diagnosis/diagnosis.ts'
import { lacksRight, type Status } from './api-client.ts'
import type { PodRef } from './cluster.ts'

export interface PatchRefusal {
  readonly code: RefusalCode
  readonly message: string
}

/** Why an ephemeral container was not added, and what to do; `changed` where one of that name is there with another spec. */
export function patchRefusal(status: Status, { namespace, name }: PodRef, uid: string): PatchRefusal | 'changed' {
  const { code, message, details } = status
  const pod = `"${namespace}/${name}"`
  const says = (text: string) => (message.includes('\n') ? `${text}: ${message.slice(0, message.indexOf('\n'))}` : `${text}: ${message}`)
  const causes = details?.causes ?? []
  const caused = (field: RegExp, words: RegExp) => causes.some((cause) => field.test(cause.field ?? '') && words.test(cause.message ?? ''))

  // What admission answers comes with any code that the policy's author chose.
  if (/violates PodSecurity "/.test(message)) {
    const text = `Pod security of namespace "${namespace}" does not admit this container in pod ${pod}; ask for another profile, or exempt the service's account there`
    return { code: 'pod-security', message: says(text) }
  }
  if (isAdmission(message)) {
    if (demandsLimits(message)) {
      const text = `A policy demands resource limits of every container, which an ephemeral container can never have; exempt ephemeral containers from it`
      return { code: 'impossible-policy', message: says(text) }
    }
    return { code: 'admission', message: says(`An admission policy does not admit the container; have it allow the diagnostic image and profile`) }
  }
  switch (code) {
    case 403:
      return lacksRight(message)
        ? { code: 'rbac', message: says(`The service may not add containers in namespace "${namespace}"; bind its Role of infra/kubernetes there`) }
        : { code: 'admission', message: says('Admission does not let the container in; have it allow the diagnostic image and profile') }
    case 404:
      return details?.name
        ? { code: 'pod-not-found', message: `Pod ${pod} is not there any more: name one that is` }
        : { code: 'subresource-absent', message: says('This cluster has no ephemeral containers; Kubernetes 1.25 or newer is needed') }
    case 422:
      if (caused(/^metadata\.uid$/, /immutable/))
        return { code: 'pod-replaced', message: `Pod ${pod} with UID ${uid} was replaced by another of its name: ask again to diagnose that one` }
      if (caused(/./, /static pods do not support/))
        return { code: 'static-pod', message: `Pod ${pod} is a static pod, which takes no ephemeral container: only its evidence can be gathered` }
      if (caused(/targetContainerName$/, /^Not found/))
        return { code: 'container-not-found', message: says(`Pod ${pod} has no such container to look into; name one of its own`) }
      if (caused(/^spec\.ephemeralContainers/, /may not be changed/)) return 'changed'
  }
  return { code: 'invalid', message: says(`The API server does not take the container for pod ${pod}`) }
}

/** Webhooks and ValidatingAdmissionPolicies. Source: https://github.com/kubernetes/kubernetes/blob/v1.34.4/staging/src/k8s.io/apiserver/pkg/admission/plugin/webhook/errors/statuserror.go */
function isAdmission(message: string): boolean {
  return /admission webhook ".*" denied|ValidatingAdmissionPolicy '.*' (with binding '.*' )?denied/.test(message)
}

function demandsLimits(message: string): boolean {
  return /\bresources?[/. ]+(requests and )?limits?\b|\b(cpu|memory)( and (cpu|memory))? (resource )?(requests and (memory |cpu )?)?limits?\b|\blimits[./](cpu|memory)\b|resource requests and/i.test(
    message,
  )
}
