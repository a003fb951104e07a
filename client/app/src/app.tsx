/** The shell: navigation, errors that block the app, and the view of the current address. */
import { useEffect, useRef, useState } from 'preact/hooks'
import { Icon, type IconName } from './icon.tsx'
import { exposures, online, opening, syncing } from './session/state.ts'
import { DiaryView } from './views/diary.tsx'
import { ExposuresView } from './views/exposures.tsx'
import { FirstSteps } from './views/first-steps.tsx'
import { LazyView } from './views/lazy.tsx'
import { Welcome } from './views/welcome.tsx'

interface View {
  name: string
  title: string
  icon: IconName
  /** The view is in the bar of a narrow screen. */
  main: boolean
}

const VIEWS: readonly View[] = [
  { name: 'map', title: 'Map', icon: 'map', main: true },
  { name: 'diary', title: 'Diary', icon: 'diary', main: true },
  { name: 'exposures', title: 'Exposures', icon: 'bell', main: true },
  { name: 'sync', title: 'Sync', icon: 'sync', main: true },
  { name: 'report', title: 'Report', icon: 'report', main: false },
  { name: 'privacy', title: 'Privacy', icon: 'privacy', main: false },
  { name: 'lab', title: 'Lab', icon: 'lab', main: false },
  { name: 'transfer', title: 'Import & export', icon: 'transfer', main: false },
  { name: 'settings', title: 'Settings', icon: 'settings', main: false },
  { name: 'start', title: 'First steps', icon: 'home', main: false },
]

// Pages that the first visit does not show.
const loadPrivacy = () => import('./views/privacy.tsx').then(({ PrivacyView }) => ({ default: PrivacyView }))
const loadReport = () => import('./views/report.tsx').then(({ ReportView }) => ({ default: ReportView }))
const loadSettings = () => import('./views/settings.tsx').then(({ SettingsView }) => ({ default: SettingsView }))
const loadSync = () => import('./views/sync.tsx').then(({ SyncView }) => ({ default: SyncView }))
const loadTransfer = () => import('./views/transfer.tsx').then(({ TransferView }) => ({ default: TransferView }))

export function App() {
  const route = useRoute()
  const view = VIEWS.find(({ name }) => name === route) ?? VIEWS[0]!
  const main = useRef<HTMLElement>(null)
  const first = useRef(true)
  useEffect(() => {
    document.title = `${route === 'more' ? 'More' : view.title} · Geo Trace`
    // A screen reader continues at the start of the new view; a sighted person sees its top.
    if (!first.current) main.current?.focus({ preventScroll: true })
    first.current = false
    window.scrollTo(0, 0)
  }, [route])
  return (
    <div class="shell">
      <button type="button" class="skip" onClick={() => main.current?.focus()}>
        Skip to the content
      </button>
      <header class="side">
        <a class="brand" href="#/map">
          <img src="/icon.svg" alt="" width="32" height="32" />
          <span>Geo Trace</span>
        </a>
        <nav aria-label="Views" class="wide">
          {VIEWS.map((item) => (
            <NavLink
              key={item.name}
              view={item}
              current={route === item.name || (route === '' && item.name === 'map')}
            />
          ))}
        </nav>
        <Connection />
      </header>
      <main id="content" ref={main} tabIndex={-1} class={`view view-${route === 'more' ? 'more' : view.name}`}>
        {route === 'more' ? <More /> : <Content view={view} />}
      </main>
      <nav aria-label="Views, short" class="bar">
        {VIEWS.filter((item) => item.main).map((item) => (
          <NavLink key={item.name} view={item} current={view === item && route !== 'more'} />
        ))}
        <NavLink
          view={{ name: 'more', title: 'More', icon: 'more', main: true }}
          current={route === 'more' || !view.main}
        />
      </nav>
    </div>
  )
}

function useRoute(): string {
  const read = () => location.hash.replace(/^#\/?/, '').split('?')[0] ?? ''
  const [route, setRoute] = useState(read())
  useEffect(() => {
    const listen = () => setRoute(read())
    window.addEventListener('hashchange', listen)
    return () => window.removeEventListener('hashchange', listen)
  }, [])
  return route
}

function NavLink({ view, current }: { view: View; current: boolean }) {
  const open = exposures.value.filter(({ verdict }) => verdict === 'new').length
  const badge = view.name === 'exposures' && open > 0
  return (
    <a class="nav" href={`#/${view.name}`} aria-current={current ? 'page' : undefined}>
      <Icon name={view.icon} />
      <span>{view.title}</span>
      {badge && (
        <span class="badge">
          <span aria-hidden="true">{open}</span>
          <span class="hidden">{open} new</span>
        </span>
      )}
    </a>
  )
}

function Connection() {
  const { running, failed, last } = syncing.value
  const connected = online.value
  const [state, text] = running
    ? ['busy', 'Syncing']
    : !connected
      ? ['off', 'Offline']
      : failed !== undefined
        ? ['bad', 'Sync failed']
        : last === undefined
          ? ['off', 'Not synced yet']
          : ['good', 'In sync']
  return (
    <p class="connection" data-state={state}>
      <span class="dot" aria-hidden="true" /> {text}
    </p>
  )
}

function More() {
  return (
    <div class="page">
      <h1>More</h1>
      <ul class="cards more">
        {VIEWS.filter(({ main }) => !main).map((view) => (
          <li key={view.name}>
            <a class="card row" href={`#/${view.name}`}>
              <Icon name={view.icon} />
              <span>{view.title}</span>
            </a>
          </li>
        ))}
      </ul>
    </div>
  )
}

function Content({ view }: { view: View }) {
  const session = opening.value
  // The lab runs a federation of its own and needs no data of this device.
  if (view.name === 'lab') return <LazyView load={() => import('./views/lab.tsx')} what="The lab" />
  if (session.state === 'opening') return <p class="loading">Opening the diary on this device …</p>
  if (session.state === 'waiting') {
    return (
      <div class="page notice">
        <h1>Open in another tab</h1>
        <p>
          One tab at a time keeps your diary, so that nothing is sent twice. Close the other one and this tab goes on by
          itself.
        </p>
      </div>
    )
  }
  if (session.state === 'failed') {
    return (
      <div class="page notice" role="alert">
        <h1>Geo Trace cannot open</h1>
        <p>{session.why}</p>
        <button type="button" class="primary" onClick={() => location.reload()}>
          Try again
        </button>
      </div>
    )
  }
  const { tracer, manifest, core } = session
  switch (view.name) {
    case 'diary':
      return (
        <Gate manifest={manifest} tracer={tracer}>
          <DiaryView tracer={tracer} />
        </Gate>
      )
    case 'exposures':
      return (
        <Gate manifest={manifest} tracer={tracer}>
          <ExposuresView tracer={tracer} />
        </Gate>
      )
    case 'sync':
      return (
        <Gate manifest={manifest} tracer={tracer}>
          <LazyView key="sync" load={loadSync} what="The sync" props={{ tracer }} />
        </Gate>
      )
    case 'start':
      return (
        <Gate manifest={manifest} tracer={tracer}>
          <FirstSteps tracer={tracer} manifest={manifest} />
        </Gate>
      )
    case 'report':
      return <LazyView key="report" load={loadReport} what="The report" props={{ tracer }} />
    case 'privacy':
      return <LazyView key="privacy" load={loadPrivacy} what="The privacy page" props={{ tracer, manifest }} />
    case 'transfer':
      return <LazyView key="transfer" load={loadTransfer} what="Import and export" props={{ tracer, manifest }} />
    case 'settings':
      return <LazyView key="settings" load={loadSettings} what="The page of settings" props={{ tracer, manifest }} />
    default:
      return (
        <Gate manifest={manifest} tracer={tracer}>
          <LazyView load={() => import('./views/map.tsx')} what="The map" props={{ tracer, manifest, core }} />
        </Gate>
      )
  }
}

/** Without consent, each view of the person's own data shows the welcome page. */
function Gate({ children, ...rest }: Parameters<typeof Welcome>[0]) {
  return <Welcome {...rest}>{children}</Welcome>
}
