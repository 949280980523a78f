import type { PropsWithChildren } from 'hono/jsx'
import { routes } from '../routes.ts'

/** What every page needs to know: the path of the service's public URL (`''` at a root), and who looks at it. */
export interface Frame {
  readonly base: string
  readonly who?: string | undefined
}

/** `refreshSeconds` is for browsers without scripts only. */
export function Layout({
  frame,
  title,
  refreshSeconds,
  children,
}: PropsWithChildren<{ frame: Frame; title: string; refreshSeconds?: number | undefined }>) {
  const { base, who } = frame
  return (
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>{title} · Autodiagnose</title>
        <link rel="stylesheet" href={base + routes.style} />
        <link rel="icon" href={base + routes.icon} type="image/svg+xml" />
        <script src={base + routes.script} defer></script>
        {refreshSeconds === undefined ? null : (
          <noscript>
            <meta http-equiv="refresh" content={String(refreshSeconds)} />
          </noscript>
        )}
      </head>
      <body>
        <header class="bar">
          <div class="wide">
            <a class="brand" href={base + routes.home}>
              Autodiagnose
            </a>
            {who === undefined ? null : <a href={base + routes.intakePage}>Alerts</a>}
            <a href={base + routes.docs}>API</a>
            {who === undefined ? null : (
              <form class="who" method="post" action={base + routes.logout}>
                <span>{who}</span>
                <button class="plain" type="submit">
                  Log out
                </button>
              </form>
            )}
          </div>
        </header>
        <main class="wide">{children}</main>
      </body>
    </html>
  )
}
