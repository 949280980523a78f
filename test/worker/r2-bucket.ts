/** One call of a bucket, as the tests see it. */
export interface BucketCall {
  readonly method: string
  readonly key: string
  /** Of the part or the object, where there is one. */
  readonly bytes?: Uint8Array
}

/** Called in the place of R2: calls `go` for what R2 does, or throws, or both. */
export type Fault = (call: BucketCall, go: () => Promise<unknown>) => Promise<unknown>

export interface WatchedBucket {
  readonly bucket: R2Bucket
  readonly calls: BucketCall[]
  /** The keys of uploads that were begun through it and still take a part, asked of R2; and of claims. */
  leftovers(prefix: string): Promise<string[]>
}

/** The bucket that `real` is, with each call written down and given to the fault. */
export function watchedBucket(real: R2Bucket, fault: Fault = (_, go) => go()): WatchedBucket {
  const calls: BucketCall[] = []
  const uploads: { key: string; uploadId: string }[] = []
  const watch = <T>(call: BucketCall, go: () => Promise<T>): Promise<T> => {
    calls.push(call)
    return fault(call, go) as Promise<T>
  }
  const watchedUpload = (upload: R2MultipartUpload): R2MultipartUpload => ({
    key: upload.key,
    uploadId: upload.uploadId,
    uploadPart: (number, value) =>
      watch({ method: `uploadPart ${number}`, key: upload.key, bytes: value as Uint8Array }, () => upload.uploadPart(number, value)),
    abort: () => watch({ method: 'abort', key: upload.key }, () => upload.abort()),
    complete: (parts) => watch({ method: 'complete', key: upload.key }, () => upload.complete(parts)),
  })
  const bucket = {
    head: (key) => watch({ method: 'head', key }, () => real.head(key)),
    get: (key: string) => watch({ method: 'get', key }, () => real.get(key)),
    put: (key: string, value: Uint8Array, options: R2PutOptions) =>
      watch({ method: options.customMetadata ? 'put claim' : 'put', key, bytes: value }, () => real.put(key, value, options)),
    delete: (key: string) => watch({ method: 'delete', key }, () => real.delete(key)),
    list: (options) => watch({ method: 'list', key: options?.prefix ?? '' }, () => real.list(options)),
    async createMultipartUpload(key, options) {
      const upload = await watch({ method: 'createMultipartUpload', key }, () => real.createMultipartUpload(key, options))
      uploads.push({ key, uploadId: upload.uploadId })
      return watchedUpload(upload)
    },
    resumeMultipartUpload: (key, uploadId) => watchedUpload(real.resumeMultipartUpload(key, uploadId)),
  } as R2Bucket
  return {
    bucket,
    calls,
    async leftovers(prefix) {
      const left: string[] = []
      for (const { key, uploadId } of uploads.filter(({ key }) => key.startsWith(prefix))) {
        const takesParts = await real
          .resumeMultipartUpload(key, uploadId)
          .uploadPart(9_999, 'x')
          .then(
            () => true,
            (error: Error) => !error.message.endsWith('(10024)') && Promise.reject(error),
          )
        if (takesParts) left.push(key)
      }
      const { objects } = await real.list({ prefix, include: ['customMetadata'] })
      return [...left, ...objects.filter(({ customMetadata }) => customMetadata?.['autodiagnose-claim']).map(({ key }) => key)]
    },
  }
}
