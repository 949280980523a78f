declare namespace Cloudflare {
  interface GlobalProps {
    readonly mainModule: typeof import('./main.ts')
  }
  interface Env {
    readonly DB: D1Database
    readonly BUCKET: R2Bucket
    readonly DIAGNOSIS: Workflow
  }
}
