// From their files: the package's index pulls in its Node client, which does not run on every platform.
import { AuthenticationV1ApiRequestFactory } from '@kubernetes/client-node/dist/gen/apis/AuthenticationV1Api.js'
import { AuthorizationV1ApiRequestFactory } from '@kubernetes/client-node/dist/gen/apis/AuthorizationV1Api.js'
import { CoreV1ApiRequestFactory } from '@kubernetes/client-node/dist/gen/apis/CoreV1Api.js'
import { createConfiguration } from '@kubernetes/client-node/dist/gen/configuration.js'
import type { RequestContext } from '@kubernetes/client-node/dist/gen/http/http.js'
import type { V1ResourceAttributes } from '@kubernetes/client-node/dist/gen/models/V1ResourceAttributes.js'
import { ServerConfiguration } from '@kubernetes/client-node/dist/gen/servers.js'
import { anyHost } from './api-client.ts'
import type { PodRef, Raw } from './cluster.ts'

/**
 * The calls that write, as client-node generated them from the API's own description. Only their requests are used: its
 * models of the answers drop fields that they do not know.
 */
const configuration = createConfiguration({ baseServer: new ServerConfiguration(anyHost, {}) })
const core = new CoreV1ApiRequestFactory(configuration)
const authentication = new AuthenticationV1ApiRequestFactory(configuration)
const authorization = new AuthorizationV1ApiRequestFactory(configuration)

/**
 * Merges one container into the pod's list by its name. The UID in the body has the API server itself refuse a pod that was
 * replaced. An unknown field is refused, not dropped: what runs is what was meant.
 */
export async function patchRequest(pod: PodRef, uid: string, container: Raw, dryRun: boolean): Promise<Request> {
  const body = { metadata: { uid }, spec: { ephemeralContainers: [container] } }
  const context = await core.patchNamespacedPodEphemeralcontainers(
    pod.name,
    pod.namespace,
    body,
    undefined,
    dryRun ? 'All' : undefined,
    undefined,
    'Strict',
  )
  // The first type that the generated code lists is JSON Patch.
  context.setHeaderParam('Content-Type', 'application/strategic-merge-patch+json')
  return requestOf(context)
}

export async function accessReviewRequest(resourceAttributes: V1ResourceAttributes): Promise<Request> {
  const body = { apiVersion: 'authorization.k8s.io/v1', kind: 'SelfSubjectAccessReview', spec: { resourceAttributes } }
  return requestOf(await authorization.createSelfSubjectAccessReview(body))
}

export async function selfReviewRequest(): Promise<Request> {
  const body = { apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview' }
  return requestOf(await authentication.createSelfSubjectReview(body))
}

/** For a token of a service account, by the audience that the API server itself has. */
export async function tokenRequest(namespace: string, account: string, expirationSeconds: number): Promise<Request> {
  const body = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: { expirationSeconds } }
  return requestOf(await core.createNamespacedServiceAccountToken(account, namespace, body))
}

function requestOf(context: RequestContext): Request {
  const body = context.getBody()
  if (typeof body !== 'string') throw new TypeError('A generated request has no text as its body')
  return new Request(context.getUrl(), { method: context.getHttpMethod(), headers: context.getHeaders(), body })
}
