import { s3Store } from '../../src/ports/store/s3.ts'
import { floodListener, type Listened } from './flood-listener.ts'

/** A process of its own, to be killed: listens to argv[2], knowing only what the segments in the S3 store argv[3] tell, to the end. */
const listened = JSON.parse(process.argv[2] ?? '') as Listened
const listen = floodListener(listened, s3Store(JSON.parse(process.argv[3] ?? '')))
while (!(await listen()).end);
