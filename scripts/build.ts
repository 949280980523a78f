import { copyFileSync } from 'node:fs'
import { bundle } from './bundle.ts'

// The service as one file: node dist/autodiagnose.mjs
await bundle('dist/autodiagnose.mjs', 'info')

// dist/ is also the context of the service's image: the Node that the tests ran on, beside the service.
copyFileSync('node_modules/node/bin/node', 'dist/node')
copyFileSync('infra/image/Dockerfile', 'dist/Dockerfile')
