/** The shell: navigation, errors that block the app, and the view of the current address. */
import { useEffect, useRef, useState } from 'preact/hooks'
import { Icon, type IconName } from './icon.tsx'
import { exposures, online, opening, syncing } from './session/state.ts'
import { format, texts, withLater } from './text/text.ts'
import { LazyView } from './views/lazy.tsx'
import { Welcome } from './views/welcome.tsx'

interface View {
  name: keyof ReturnType<typeof texts>['shell']['views']
  icon: IconName
  /** The view is in the bar of a narrow screen. */
  main: boolean
}

const VIEWS: readonly View[] = [
  { name: 'map', icon: 'map', main: true },
  { name: 'diary', icon: 'diary', main: true },
  { name: 'exposures', icon: 'bell', main: true },
  { name: 'sync', icon: 'sync', main: true },
  { name: 'report', icon: 'report', main: false },
  { name: 'privacy', icon: 'privacy', main: false },
  { name: 'lab', icon: 'lab', main: false },
  { name: 'transfer', icon: 'transfer', main: false },
  { name: 'settings', icon: 'settings', main: false },
  { name: 'start', icon: 'home', main: false },
]

// Pages that the first visit does not show.
const loadDiary = () => withLater(import('./views/diary.tsx'))
const loadExposures = () => withLater(import('./views/exposures.tsx'))
const loadMap = () => import('./views/map.tsx')
const loadLab = () => withLater(import('./views/lab.tsx'))
const loadPrivacy = () => withLater(import('./views/privacy.tsx'))
const loadReport = () => withLater(import('./views/report.tsx'))
const loadSettings = () => withLater(import('./views/settings.tsx'))
const loadStart = () => withLater(import('./views/first-steps.tsx'))
const loadSync = () => withLater(import('./views/sync.tsx'))
const loadTransfer = () => withLater(import('./views/transfer.tsx'))

export function App() {
  const route = useRoute()
  const view = VIEWS.find(({ name }) => name === route) ?? VIEWS[0]!
  const { views, nav, shortNav, skip } = texts().shell
  const title = route === 'more' ? views.more : views[view.name]
  const main = useRef<HTMLElement>(null)
  const first = useRef(true)
  useEffect(() => {
    // A screen reader continues at the start of the new view; a sighted person sees its top.
    if (!first.current) main.current?.focus({ preventScroll: true })
    first.current = false
    window.scrollTo(0, 0)
  }, [route])
  useEffect(() => {
    document.title = `${title} · Geo Trace`
  }, [title])
  return (
    <div class="shell">
      <button type="button" class="skip" onClick={() => main.current?.focus()}>
        {skip}
      </button>
      <header class="side">
        <a class="brand" href="#/map">
          <img src="/icon.svg" alt="" width="32" height="32" />
          <span translate={false}>Geo Trace</span>
        </a>
        <nav aria-label={nav} class="wide">
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
      <nav aria-label={shortNav} class="bar">
        {VIEWS.filter((item) => item.main).map((item) => (
          <NavLink key={item.name} view={item} current={view === item && route !== 'more'} />
        ))}
        <NavLink view={{ name: 'more', icon: 'more', main: true }} current={route === 'more' || !view.main} />
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
  const { views, badge: toBadge } = texts().shell
  const open = exposures.value.filter(({ verdict }) => verdict === 'new').length
  const badge = view.name === 'exposures' && open > 0
  return (
    <a class="nav" href={`#/${view.name}`} aria-current={current ? 'page' : undefined}>
      <Icon name={view.icon} />
      <span>{views[view.name]}</span>
      {badge && (
        <span class="badge">
          <span aria-hidden="true">{format().number(open)}</span>
          <span class="hidden">{toBadge(open)}</span>
        </span>
      )}
    </a>
  )
}

function Connection() {
  const { running, failed, last } = syncing.value
  const connected = online.value
  const { connection } = texts().shell
  const [state, text] = running
    ? ['busy', connection.syncing]
    : !connected
      ? ['off', connection.offline]
      : failed !== undefined
        ? ['bad', connection.failed]
        : last === undefined
          ? ['off', connection.notYet]
          : ['good', connection.good]
  return (
    <p class="connection" data-state={state}>
      <span class="dot" aria-hidden="true" /> {text}
    </p>
  )
}

function More() {
  const { views } = texts().shell
  return (
    <div class="page">
      <h1>{views.more}</h1>
      <ul class="cards more">
        {VIEWS.filter(({ main }) => !main).map((view) => (
          <li key={view.name}>
            <a class="card row" href={`#/${view.name}`}>
              <Icon name={view.icon} />
              <span>{views[view.name]}</span>
            </a>
          </li>
        ))}
      </ul>
    </div>
  )
}

function Content({ view }: { view: View }) {
  const session = opening.value
  const { shell } = texts()
  // The lab runs a federation of its own and needs no data of this device.
  if (view.name === 'lab') {
    const salting = session.state === 'ready' ? session.manifest.parameters.salting : 'threshold'
    return <LazyView key="lab" load={loadLab} props={{ salting }} />
  }
  if (session.state === 'opening') return <p class="loading">{shell.opening}</p>
  if (session.state === 'waiting') {
    return (
      <div class="page notice">
        <h1>{shell.otherTab}</h1>
        <p>{shell.otherTabWhy}</p>
      </div>
    )
  }
  if (session.state === 'failed') {
    return (
      <div class="page notice" role="alert">
        <h1>{shell.cannotOpen}</h1>
        <p>{session.why}</p>
        <button type="button" class="primary" onClick={() => location.reload()}>
          {shell.tryAgain}
        </button>
      </div>
    )
  }
  const { tracer, manifest, core } = session
  switch (view.name) {
    case 'diary':
      return (
        <Gate manifest={manifest} tracer={tracer}>
          <LazyView key="diary" load={loadDiary} props={{ tracer }} />
        </Gate>
      )
    case 'exposures':
      return (
        <Gate manifest={manifest} tracer={tracer}>
          <LazyView key="exposures" load={loadExposures} props={{ tracer }} />
        </Gate>
      )
    case 'sync':
      return (
        <Gate manifest={manifest} tracer={tracer}>
          <LazyView key="sync" load={loadSync} props={{ tracer }} />
        </Gate>
      )
    case 'start':
      return (
        <Gate manifest={manifest} tracer={tracer}>
          <LazyView key="start" load={loadStart} props={{ tracer, manifest }} />
        </Gate>
      )
    case 'report':
      return <LazyView key="report" load={loadReport} props={{ tracer }} />
    case 'privacy':
      return <LazyView key="privacy" load={loadPrivacy} props={{ tracer, manifest }} />
    case 'transfer':
      return <LazyView key="transfer" load={loadTransfer} props={{ tracer, manifest }} />
    case 'settings':
      return <LazyView key="settings" load={loadSettings} props={{ tracer, manifest }} />
    default:
      return (
        <Gate manifest={manifest} tracer={tracer}>
          <LazyView key="map" load={loadMap} props={{ tracer, manifest, core }} />
        </Gate>
      )
  }
}

/** Without consent, each view of the person's own data shows the welcome page. */
function Gate({ children, ...rest }: Parameters<typeof Welcome>[0]) {
  return <Welcome {...rest}>{children}</Welcome>
}
