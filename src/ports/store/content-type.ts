const types: Readonly<Record<string, string>> = {
  gz: 'application/gzip',
  json: 'application/json',
  ndjson: 'application/x-ndjson',
  log: 'text/plain; charset=utf-8',
  tap: 'text/plain; charset=utf-8',
  txt: 'text/plain; charset=utf-8',
  yaml: 'application/yaml',
}

/** The content type that a key's extension stands for; without a known one `application/octet-stream`. */
export function contentTypeOf(key: string): string {
  return types[/\.([^./]+)$/.exec(key)?.[1] ?? ''] ?? 'application/octet-stream'
}
