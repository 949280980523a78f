/** A path of the Kubernetes API from its parts, with a query of what is given. Throws a RangeError for a part that would change the path. */
export function apiPath(parts: readonly string[], query: Readonly<Record<string, string | number | boolean | undefined>> = {}): string {
  const segments = parts.map((part) => {
    if (part === '' || part === '.' || part === '..')
      throw new RangeError(`Cannot ask the API server for ${JSON.stringify(parts)}: bad part ${JSON.stringify(part)}`)
    return encodeURIComponent(part)
  })
  const search = new URLSearchParams(
    Object.entries(query).flatMap(([key, value]): [string, string][] => (value === undefined ? [] : [[key, String(value)]])),
  )
  return `/${segments.join('/')}${search.size > 0 ? `?${search}` : ''}`
}

export function podPath(pod: { readonly namespace: string; readonly name: string }, subresource: readonly string[] = [], query = {}): string {
  return apiPath(['api', 'v1', 'namespaces', pod.namespace, 'pods', pod.name, ...subresource], query)
}
