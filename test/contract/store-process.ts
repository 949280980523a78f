import { filesStore } from '../../src/ports/store/files.ts'
import { s3Store } from '../../src/ports/store/s3.ts'
import { generated } from './store-streams.ts'

/** A process of its own: streams argv[3] bytes into the store of the options in argv[2], and tells by how much its memory rose. */
const options = JSON.parse(process.argv[2] ?? '')
const store = 'directory' in options ? filesStore(options) : s3Store(options)
const bytes = Number(process.argv[3])
// What loading and the first use take is not what grows with the object.
await store.createFromStream('warm', generated(Math.min(bytes, 24 * 1024 * 1024)))
const before = process.resourceUsage().maxRSS
let told = false
const onPull = (sent: number) => {
  if (sent > bytes / 2 && !told) {
    told = true
    console.log('half')
  }
}
const created = await store.createFromStream('streamed', generated(bytes, { onPull }))
console.log(JSON.stringify({ created, riseMiB: (process.resourceUsage().maxRSS - before) / 1024 }))
