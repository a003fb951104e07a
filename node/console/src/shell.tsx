/** The frame of the console: who is signed in, the pages of the role, and the page of the address. */
import { useEffect, useState } from 'preact/hooks'
import type { Me } from './control.ts'
import { signOut } from './control.ts'
import { usePolled } from './polled.ts'
import { AuditView } from './views/audit.tsx'
import { CodesView } from './views/codes.tsx'
import { OverviewView } from './views/overview.tsx'
import { ReportsView } from './views/reports.tsx'
import { SpreadView } from './views/spread.tsx'
import { StaffView } from './views/staff.tsx'

const PAGES = {
  overview: { title: 'Overview', roles: ['admin', 'auditor'], View: OverviewView },
  codes: { title: 'Report codes', roles: ['admin', 'case-worker', 'auditor'], View: CodesView },
  reports: { title: 'Reports', roles: ['admin', 'case-worker', 'auditor'], View: ReportsView },
  spread: { title: 'Where reporters have been', roles: ['admin', 'auditor'], View: SpreadView },
  staff: { title: 'Staff', roles: ['admin', 'auditor'], View: StaffView },
  audit: { title: 'Audit log', roles: ['admin', 'auditor'], View: AuditView },
} as const
type PageName = keyof typeof PAGES
const NAMES = Object.keys(PAGES) as PageName[]

export function Shell() {
  const { value: me, fault } = usePolled<Me>('/me')
  const route = useRoute()
  const names = NAMES.filter((name) => me !== undefined && PAGES[name].roles.some((role) => role === me.role))
  const name = names.find((item) => item === route) ?? names[0]
  useEffect(() => {
    if (name !== undefined) document.title = `${PAGES[name].title} · Geo Trace console`
  }, [name])
  if (fault?.code === 'SIGNED_OUT') return <SignedOut />
  if (me === undefined || name === undefined) return <p class="loading">{fault?.message ?? 'Geo Trace console …'}</p>
  const { title, View } = PAGES[name]
  return (
    <div class="shell">
      <header>
        <strong>Geo Trace console</strong>
        <nav aria-label="Pages">
          {names.map((item) => (
            <a key={item} href={`#${item}`} aria-current={item === name ? 'page' : undefined}>
              {PAGES[item].title}
            </a>
          ))}
        </nav>
        <p class="me">
          {me.name}, {me.role.replace('-', ' ')}{' '}
          <button
            type="button"
            onClick={() => {
              signOut()
              location.reload()
            }}
          >
            Sign out
          </button>
        </p>
      </header>
      <main>
        {fault !== undefined && <p class="notice alarm">{fault.message}</p>}
        <h1>{title}</h1>
        <View me={me} />
      </main>
    </div>
  )
}

function SignedOut() {
  return (
    <main class="alone">
      <h1>You are not signed in</h1>
      <p>
        A link to the console works once and lasts for ten hours. Print a new one on the machine of the central peer:
      </p>
      <pre>geotrace central console</pre>
      <p>With an account of your own:</p>
      <pre>geotrace central console --as anna.json</pre>
    </main>
  )
}

function useRoute(): string {
  const [route, setRoute] = useState(location.hash.slice(1))
  useEffect(() => {
    const follow = () => setRoute(location.hash.slice(1))
    addEventListener('hashchange', follow)
    return () => removeEventListener('hashchange', follow)
  }, [])
  return route
}
