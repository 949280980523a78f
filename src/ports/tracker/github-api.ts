import { z } from 'zod'
import { appJwt, type GitHubApp } from './github-app.ts'
import { type GitHubAnswer, githubHttp } from './github-http.ts'
import { type Paced, paced } from './paced.ts'
import { TrackerRejected, TrackerUnavailable } from './tracker.ts'
import { complaint, type TrackerHttp } from './tracker-http.ts'

export type GitHubAuth = { readonly token: string } | GitHubApp

export interface GitHubOptions extends TrackerHttp {
  /** The REST API, without a slash at its end. */
  readonly url: string
  readonly auth: GitHubAuth
  /** From one change to the next, as GitHub asks for. Default: 1 s. */
  readonly writeIntervalMs?: number
}

/** Where an issue is; `key` is `owner/repo#12`. */
export interface GitHubIssueRef {
  readonly owner: string
  readonly repo: string
  readonly number: number
  readonly key: string
}

const comment = z.object({ id: z.number(), body: z.string().nullish(), user: z.object({ login: z.string() }).nullish() })
const issue = z.object({
  number: z.number(),
  html_url: z.string(),
  state: z.string(),
  body: z.string().nullish(),
  pull_request: z.unknown().optional(),
})
const login = z.object({ login: z.string() })
const app = z.object({ slug: z.string() })
const accessToken = z.object({ token: z.string(), expires_at: z.string() })

export type GitHubComment = z.infer<typeof comment>
export type GitHubIssue = z.infer<typeof issue>
export type GitHubApi = ReturnType<typeof githubApi>
type Ask = Parameters<ReturnType<typeof githubHttp>>[3]

/** More than enough: GitHub takes 2,500 comments on an issue. */
const commentPages = 30
const issuePages = 10
const perPage = 100

/** GitHub's REST API (https://docs.github.com/en/rest/issues), as far as notes and reports need it. */
export function githubApi(options: GitHubOptions) {
  const send = githubHttp(options)
  const turn: Paced = paced(options.clock, options.writeIntervalMs ?? 1000)
  const { auth } = options
  let ourLogin: string | undefined
  let installed: { readonly token: string; readonly until: number } | undefined

  /** As the app itself, which may do nothing but ask who it is and for tokens. */
  async function asApp(what: string, of: GitHubApp, signal: AbortSignal, ask: Ask): Promise<GitHubAnswer> {
    const jwt = await appJwt(of, options.clock.now()).catch((cause: unknown) => {
      throw new TrackerRejected(`${what}: the app's private key cannot be used; check the tracker's app.privateKey`, { cause })
    })
    return accept(await send(what, jwt, signal, ask), what, appAdvice)
  }

  async function token(signal: AbortSignal): Promise<string> {
    if ('token' in auth) return auth.token
    if (installed && options.clock.now() < installed.until) return installed.token
    const what = `Cannot get a token for installation ${auth.installation} of the GitHub App ${auth.id}`
    const answer = await asApp(what, auth, signal, (request) =>
      request('POST /app/installations/{installation_id}/access_tokens', { installation_id: auth.installation }),
    )
    const made = read(answer, accessToken, what)
    installed = { token: made.token, until: Date.parse(made.expires_at) - 60_000 }
    return made.token
  }

  async function call(what: string, signal: AbortSignal, ask: Ask): Promise<GitHubAnswer> {
    const answer = await send(what, await token(signal), signal, ask)
    if (answer.status !== 401 || 'token' in auth) return answer
    // An installation's token may end before its time: suspended and back again, permissions changed.
    installed = undefined
    const again = await send(what, await token(signal), signal, ask)
    // Not yet known to all of GitHub.
    if (again.status === 401) throw new TrackerUnavailable(`${what}: a token that was made just now is not accepted (401)`, 5000)
    return again
  }

  async function change(what: string, signal: AbortSignal, ask: Ask): Promise<GitHubAnswer> {
    await turn(what, signal)
    return call(what, signal, ask)
  }

  return {
    /** Login of the user whom the token belongs to; an app's is its name in URLs and `[bot]`. */
    async login(signal: AbortSignal): Promise<string> {
      if (ourLogin !== undefined) return ourLogin
      const what = `Cannot tell who we are at GitHub ${options.url}`
      if ('token' in auth) ourLogin = read(accept(await call(what, signal, (request) => request('GET /user')), what), login, what).login
      else ourLogin = `${read(await asApp(what, auth, signal, (request) => request('GET /app')), app, what).slug}[bot]`
      return ourLogin
    },
    /** All comments of the issue, oldest first. */
    async comments({ owner, repo, number, key }: GitHubIssueRef, signal: AbortSignal): Promise<readonly GitHubComment[]> {
      const what = `Cannot read GitHub issue "${key}"`
      const found: GitHubComment[] = []
      for (let page = 1; page <= commentPages; page++) {
        const answer = await call(what, signal, (request) =>
          request('GET /repos/{owner}/{repo}/issues/{issue_number}/comments', { owner, repo, issue_number: number, per_page: perPage, page }),
        )
        const some = read(accept(answer, what), z.array(comment), what)
        found.push(...some)
        if (some.length < perPage) return found
      }
      throw new TrackerRejected(`${what}: it has more than ${commentPages * perPage} comments; use another issue`)
    },
    async addComment({ owner, repo, number, key }: GitHubIssueRef, body: string, signal: AbortSignal): Promise<GitHubComment> {
      const what = `Cannot add a note to GitHub issue "${key}"`
      const answer = await change(what, signal, (request) =>
        request('POST /repos/{owner}/{repo}/issues/{issue_number}/comments', { owner, repo, issue_number: number, body }),
      )
      return read(accept(answer, what), comment, what)
    },
    /** False where it is gone or not ours to edit. */
    async editComment({ owner, repo, key }: GitHubIssueRef, id: number, body: string, signal: AbortSignal): Promise<boolean> {
      const what = `Cannot edit note ${id} of GitHub issue "${key}"`
      const answer = await change(what, signal, (request) =>
        request('PATCH /repos/{owner}/{repo}/issues/comments/{comment_id}', { owner, repo, comment_id: id, body }),
      )
      if ([403, 404, 410].includes(answer.status)) return false
      accept(answer, what)
      return true
    },
    /** Does nothing where it is gone or not ours to delete. */
    async removeComment({ owner, repo, key }: GitHubIssueRef, id: number, signal: AbortSignal): Promise<void> {
      const what = `Cannot delete note ${id} of GitHub issue "${key}"`
      const answer = await change(what, signal, (request) =>
        request('DELETE /repos/{owner}/{repo}/issues/comments/{comment_id}', { owner, repo, comment_id: id }),
      )
      if (![403, 404, 410].includes(answer.status)) accept(answer, what)
    },
    /** Undefined where there is none for us, or it has moved to another repository. */
    async issue({ owner, repo, number, key }: GitHubIssueRef, signal: AbortSignal): Promise<GitHubIssue | undefined> {
      const what = `Cannot read GitHub issue "${key}"`
      const answer = await call(what, signal, (request) =>
        request('GET /repos/{owner}/{repo}/issues/{issue_number}', { owner, repo, issue_number: number }),
      )
      if ([301, 404, 410].includes(answer.status)) return undefined
      return read(accept(answer, what), issue, what)
    },
    /** The issues that a user opened there, newest first; the newest 1,000. */
    async *issuesBy(creator: string, project: string, signal: AbortSignal): AsyncGenerator<GitHubIssue> {
      const what = `Cannot list the issues of GitHub repository "${project}"`
      const [owner = '', repo = ''] = project.split('/')
      for (let page = 1; page <= issuePages; page++) {
        const answer = await call(what, signal, (request) =>
          request('GET /repos/{owner}/{repo}/issues', {
            owner,
            repo,
            creator,
            state: 'all',
            sort: 'created',
            direction: 'desc',
            per_page: perPage,
            page,
          }),
        )
        const some = read(accept(answer, what), z.array(issue), what)
        yield* some.filter((each) => !each.pull_request)
        if (some.length < perPage) return
      }
    },
    async addIssue(
      project: string,
      wanted: { readonly title: string; readonly body: string; readonly labels: readonly string[]; readonly type?: string },
      signal: AbortSignal,
    ): Promise<GitHubIssue> {
      const what = `Cannot open an issue in GitHub repository "${project}"`
      const [owner = '', repo = ''] = project.split('/')
      const answer = await change(what, signal, (request) =>
        request('POST /repos/{owner}/{repo}/issues', { owner, repo, ...wanted, labels: [...wanted.labels] }),
      )
      return read(accept(answer, what), issue, what)
    },
    /** False where we may not. */
    async setState(
      { owner, repo, number, key }: GitHubIssueRef,
      state: { readonly state: 'open' } | { readonly state: 'closed'; readonly state_reason: 'completed' },
      signal: AbortSignal,
    ): Promise<boolean> {
      const what = `Cannot ${state.state === 'open' ? 'reopen' : 'close'} GitHub issue "${key}"`
      const answer = await change(what, signal, (request) =>
        request('PATCH /repos/{owner}/{repo}/issues/{issue_number}', { owner, repo, issue_number: number, ...state }),
      )
      if (state.state === 'open' && [403, 410, 422].includes(answer.status)) return false
      return read(accept(answer, what), issue, what).state === state.state
    },
  }
}

const advice: Readonly<Record<number, string>> = {
  301: 'it has moved or has another name now (301); use that one',
  401: 'the token is not accepted (401); it may have expired: make another and put it into the tracker’s token',
  403: 'the token may not (403); give it "Issues: Read and write" for this repository, have the organisation approve it, and see that the issue is not locked nor the repository archived',
  404: 'there is none that the token may see (404); check the name and the number, and that the token has this repository with "Issues: Read and write"',
  410: 'it was deleted, or issues are switched off in this repository (410)',
  422: 'GitHub does not accept the change (422)',
}

const appAdvice: Readonly<Record<number, string>> = {
  401: 'the app is not accepted (401); check the tracker’s app.id and app.privateKey, and this machine’s clock',
  403: 'the app’s installation is suspended (403); have it resumed',
  404: 'there is no such installation of this app (404); check the tracker’s app.id and app.installation',
}

function accept(answer: GitHubAnswer, what: string, advices = advice): GitHubAnswer {
  if (answer.status >= 200 && answer.status <= 299) return answer
  throw new TrackerRejected(`${what}: ${advices[answer.status] ?? `it answered ${answer.status}`}${complaint(answer.message ?? '')}`)
}

function read<T>({ data }: GitHubAnswer, schema: z.ZodType<T>, what: string): T {
  // A proxy's page or a cut answer: the next one may be whole.
  if (typeof data === 'string') throw new TrackerUnavailable(`${what}: the answer is not JSON`, 10_000)
  const parsed = schema.safeParse(data)
  if (!parsed.success) throw new TrackerRejected(`${what}: this is not GitHub's answer; check the tracker's url`, { cause: parsed.error })
  return parsed.data
}
