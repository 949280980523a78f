import { routes } from '../routes.ts'
import { type Frame, Layout } from './layout.tsx'

/** `next` is where to go on; `complaint` what was wrong the last time. */
export function LoginPage({ frame, next, complaint }: { frame: Frame; next: string; complaint?: string | undefined }) {
  return (
    <Layout frame={frame} title="Log in">
      <div class="login">
        <h1>Log in</h1>
        <p class="soft">With your token. Whoever runs this service makes tokens.</p>
        {complaint === undefined ? null : (
          <p class="notice error" role="alert">
            {complaint}
          </p>
        )}
        <form method="post" action={frame.base + routes.login}>
          <input type="hidden" name="next" value={next} />
          <label>
            Token
            <input name="token" type="password" required autocomplete="current-password" autocapitalize="none" spellcheck={false} autofocus />
          </label>
          <button class="main" type="submit">
            Log in
          </button>
        </form>
      </div>
    </Layout>
  )
}
