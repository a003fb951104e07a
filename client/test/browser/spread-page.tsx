/** The map of the web app over a federation in memory, whose members hand out the counts that the address asks for. */
import '../../app/src/styles/base.css'
import '../../app/src/styles/shell.css'
import '../../app/src/styles/pieces.css'
import { testSpread } from '@geotrace/core-wasm/testing'
import {
  DAY_MS,
  decodeRosterRequest,
  encodeRosterReply,
  encodeSpread,
  manifestToId,
  ROSTER_PROTOCOL,
} from '@geotrace/core-wasm/wire'
import { h, render } from 'preact'
import { openLanguage } from '../../app/src/text/text.ts'
import MapView from '../../app/src/views/map.tsx'
import { fakeFederation, openTracer, START_MS } from '../../src/testing/index.ts'

/** The café of other tests lies in this region (PROTOCOL.md §3.3). */
const REGION = 36771
const FIRST_PERIOD = Math.floor(START_MS / DAY_MS) + 2
const RESOLUTION = 7
/** Bucket 0, then a hill around each of three cells, and noise. */
const COUNTS = Array.from({ length: 344 }, (_, i) => {
  const hill = [60, 170, 300].reduce((sum, top) => sum + 150 * Math.exp(-(((i - top) / 6) ** 2)), 0)
  return Math.round(hill + 2 * Math.sin(7 * i))
})

const kind = new URLSearchParams(location.search).get('counts')
const spread = { areas: [REGION], resolution: RESOLUTION, periodDays: 1, minimum: 20, epsilon: 1_000 }
const federation = await fakeFederation({
  ...{ salting: 'plain' as const, shards: 1, reserveEpochs: 200 },
  ...(kind !== 'off' && { spread }),
})
const { manifest, certified, clock, core } = federation
await clock.jumpTo((FIRST_PERIOD + 3) * DAY_MS + DAY_MS / 2)
const published = [0, 2].map((days) => {
  const counts =
    kind === 'few' ? COUNTS.map((count) => Math.min(3, count)) : COUNTS.map((n) => Math.round(n / (3 - days)))
  return kind === 'off' ? undefined : testSpread(certified, manifestToId(manifest), FIRST_PERIOD + days, counts)
})
federation.intercept = async (_peer, protocol, frame, serve) => {
  const request = protocol.id === ROSTER_PROTOCOL.id ? decodeRosterRequest(frame) : undefined
  if (request?.op !== 'spread') return serve(frame)
  const found = kind === 'none' ? undefined : published.find((item) => item?.period === request.period)
  if (found !== undefined && kind === 'forged') found.counts = found.counts.map((count) => count + 1)
  return encodeRosterReply(found && encodeSpread(found))
}
const tracer = await openTracer(federation)
await tracer.sync()
await openLanguage()
const host = document.createElement('div')
host.id = 'app'
document.body.append(host)
// Vite compiles JSX of this folder for React.
render(h('main', null, h(MapView, { tracer, manifest, core })), host)
