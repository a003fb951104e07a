/**
 * Two people in one page, for any browser. They record, sync and meet, one reports, and each storage is closed and opened
 * again. Parameters: `?dialer=https` or `libp2p`, `&code=` a report code, `&name=` the name of their storages. The page
 * writes the result into its output as JSON.
 */
import {
  createTracer,
  deviceKey,
  encryptedStorage,
  httpsDialer,
  isFederationError,
  levelStorage,
  libp2pDialer,
  type Tracer,
} from '@geotrace/client'

const MINUTE_MS = 60_000
const CAFE = { lat: 52.52, lng: 13.405 }
const HOME = { lat: 52.6, lng: 13.5 }
const FIXES = 6

/** The result of the page. */
export interface Life {
  readonly recorded: readonly boolean[]
  readonly atHome: string
  readonly synced: readonly boolean[]
  readonly report: string
  readonly secondTab: string
  readonly states: Readonly<Record<string, number>>
  readonly exposures: readonly { degree: number; certainty: string }[]
}

const query = new URLSearchParams(location.search)
const federation = await (await fetch('/federation.json')).text()
const dialer = query.get('dialer') === 'https' ? httpsDialer() : libp2pDialer()

async function open(person: string): Promise<Tracer> {
  const name = `${query.get('name')}-${person}`
  return createTracer({
    federation,
    storage: await encryptedStorage(await levelStorage(name), await deviceKey(name)),
    dialer,
    // The time zone makes it noon whenever the test runs, because from 22:00 on deposits wait for the morning.
    timeZoneOffsetMin: (atMs) => 12 * 60 - (Math.floor(atMs / MINUTE_MS) % (24 * 60)),
  })
}

async function live(tracer: Tracer): Promise<Pick<Life, 'recorded' | 'atHome' | 'synced'>> {
  await tracer.home.mark(HOME)
  const now = Date.now()
  const recorded = []
  for (let i = 0; i < FIXES; i++) {
    const at = now - (20 + 5 * i) * MINUTE_MS
    recorded.push((await tracer.record({ ...CAFE, accuracyM: 5, at })).accepted)
  }
  const atHome = await tracer.record({ ...HOME, accuracyM: 5, at: now - 90 * MINUTE_MS })
  const { fixesHashed, fixesDeferred, rowsDeposited, points, nodesLied } = await tracer.sync()
  const synced = [fixesHashed === FIXES, fixesDeferred === 0, rowsDeposited === points, points > 0, nodesLied === 0]
  return { recorded, atHome: atHome.accepted ? 'accepted' : atHome.reason, synced }
}

async function tryTwice(person: string): Promise<string> {
  try {
    await open(person)
    return 'opened'
  } catch (error) {
    return isFederationError(error) ? error.code : `${error}`
  }
}

const [ada, ben] = [await open('ada'), await open('ben')]
const secondTab = await tryTwice('ada')
const { recorded, atHome, synced } = await live(ada)
await live(ben)
const { report } = await ada.report(query.get('code')!)
await ada.close()
// The marks follow some seconds after the report.
while ((await ben.sync()).marksNew === 0) await new Promise((resolve) => setTimeout(resolve, 1_000))
await ben.close()
const again = await open('ben')
const states: Record<string, number> = {}
for await (const { state } of again.diary()) states[state] = (states[state] ?? 0) + 1
const exposures = (await again.exposures()).map(({ degree, certainty }) => ({ degree, certainty }))
await again.close()
const life: Life = { recorded, atHome, synced, report, secondTab, states, exposures }
document.querySelector('output')!.textContent = JSON.stringify(life)
