declare namespace Cloudflare {
  interface Env {
    readonly DB: D1Database
    readonly BUCKET: R2Bucket
    readonly DIAGNOSIS: Workflow
  }
}
