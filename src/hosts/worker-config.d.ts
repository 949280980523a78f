/** What scripts/worker-config.ts made of the configuration file: an alias of wrangler.toml. */
declare module 'virtual:config' {
  const configured: unknown
  export default configured
}
