/**
 * Measures in Chromium: main-thread time of recording a fix and of a sync, and hashing in a worker. Without Chromium the
 * bench is skipped with a message.
 */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { startWebServer } from '@geotrace/node/testing'
import { chromium } from 'playwright-core'
import { build } from 'vite'

const EXECUTABLE = process.env.CHROMIUM ?? '/usr/bin/chromium'
const here = fileURLToPath(new URL('.', import.meta.url))
const federation = readFileSync(new URL('../../federation.json', import.meta.url), 'utf8')
const WARMING = 100
const RECORDS = 600
/** Recording by day, and at night while the device learns its home. */
const HOURS = { day: 12, night: 3 }
const HASHES = 300
const QUANTILES = [
  ['median', 0.5],
  ['p99', 0.99],
]
const FIX_MS = 300_000
const SYNC_ROUNDS = 7
/** A peer accepts five new connections a second from one address (PROTOCOL.md §6.5). */
const REST_MS = 600

export async function browserRows({ progress }) {
  if (!existsSync(EXECUTABLE)) {
    console.error(`SKIPPED: the browser's rows need a Chromium (${EXECUTABLE}, or CHROMIUM=PATH)`)
    return []
  }
  progress('browser …')
  const folder = mkdtempSync(join(tmpdir(), 'geotrace-bench-page-'))
  await build({
    configFile: false,
    logLevel: 'error',
    root: here,
    worker: { format: 'es' },
    build: {
      outDir: folder,
      emptyOutDir: true,
      modulePreload: false,
      target: 'es2022',
      rolldownOptions: { input: { page: join(here, 'page.js') }, output: { entryFileNames: '[name].js' } },
    },
  })
  const html =
    '<!doctype html><title>bench</title><link rel="icon" href="data:,"><script type="module" src="/page.js"></script>'
  writeFileSync(join(folder, 'index.html'), html)
  const server = await startWebServer({ folder })
  const browser = await chromium.launch({ executablePath: EXECUTABLE, args: ['--no-sandbox', '--disable-gpu'] })
  try {
    // The page's content security policy allows the web app's peers, but not HTTPS peers with certificates made here.
    const page = await browser.newPage({ ignoreHTTPSErrors: true, bypassCSP: true })
    await page.goto(server.url)
    await page.waitForFunction(() => 'bench' in globalThis)
    const devtools = await page.context().newCDPSession(page)
    // CPU time of the thread: wall time would include the waiting on a busy machine.
    await devtools.send('Performance.enable', { timeDomain: 'threadTicks' })
    const rows = []
    for (const [time, hour] of Object.entries(HOURS)) {
      await page.evaluate((given) => globalThis.bench.open(...given), [federation, time, hour])
      const costs = await recordAll(page, devtools, (text) => progress(`${time}: ${text}`))
      for (const [name, share] of QUANTILES) {
        const title = `record a fix by ${time}, main thread of Chromium, ${name} ms`
        rows.push(goal(title, quantile(costs.records, share), 1))
        rows.push({
          name: `the same of asking for nothing, ${name} ms`,
          against: '',
          ours: quantile(costs.idle, share),
        })
      }
    }
    const hashes = await page.evaluate((rounds) => globalThis.bench.hashInWorker(rounds), HASHES)
    for (const [name, share] of QUANTILES) {
      rows.push(goal(`hash an hour of fixes in a worker, ${name} ms`, quantile(hashes, share), 5))
    }
    return [...rows, ...(await syncRowsInPage(page, devtools, progress))]
  } finally {
    await browser.close()
    await server.stop()
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Syncs over libp2p: bytes, and CPU of the page's thread, against the same syncs over the peers' HTTPS listeners. */
async function syncRowsInPage(page, devtools, progress) {
  const peers = fork(new URL('peers.js', import.meta.url), { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] })
  try {
    const [{ manifest, aheadMs }] = await once(peers, 'message')
    const bytesOf = async () => {
      const answered = once(peers, 'message')
      peers.send('bytes')
      return (await answered)[0].bytes
    }
    const kinds = ['with nothing to say', 'of an hour on foot']
    const costs = new Map()
    for (let round = 0; round < SYNC_ROUNDS; round++) {
      progress(`syncs in the browser, round ${round + 1} of ${SYNC_ROUNDS} …`)
      for (const dialer of ['libp2p', 'https']) {
        await page.evaluate(
          (given) => globalThis.bench.openPerson(...given),
          [JSON.stringify(manifest), dialer, aheadMs],
        )
        // The first sync fetches the roster and the code of a sync.
        await page.evaluate(() => globalThis.bench.sync())
        for (const kind of kinds) {
          if (kind === kinds[1]) await page.evaluate(() => globalThis.bench.walkAnHour())
          await sleep(REST_MS)
          await bytesOf()
          const before = await taskMs(devtools)
          const rows = await page.evaluate(() => globalThis.bench.sync())
          const cpuMs = (await taskMs(devtools)) - before
          if (rows > 0 !== (kind === kinds[1])) throw new Error('a sync did not deposit what it should')
          await sleep(REST_MS)
          const name = `${dialer} ${kind}`
          costs.set(name, [...(costs.get(name) ?? []), { bytes: await bytesOf(), cpuMs }])
        }
      }
    }
    const of = (dialer, kind, figure, share) =>
      quantile(
        costs.get(`${dialer} ${kind}`).map((cost) => cost[figure]),
        share,
      )
    return kinds.flatMap((kind) => {
      const [ours, theirs] = ['libp2p', 'https'].map((dialer) => of(dialer, kind, 'cpuMs', 0.5))
      const against = 'the same tracer with httpsDialer'
      return [
        // Take the round with the fewest bytes, because further bytes come from the way the machine splits packets.
        { name: `sync ${kind} in Chromium, B on the wire`, against: '', ours: of('libp2p', kind, 'bytes', 0) },
        { name: `sync ${kind} in Chromium, main thread, ms of CPU`, against, ours, theirs, ratio: ours / theirs },
      ]
    })
  } finally {
    peers.disconnect()
  }
}

/** Milliseconds of the page's thread for each record, and for as many empty questions. */
async function recordAll(page, devtools, progress) {
  const busyMs = async (step) => {
    const before = await taskMs(devtools)
    await step()
    return (await taskMs(devtools)) - before
  }
  // The question itself costs time on the page's thread, so the cost of an empty question is subtracted.
  const [idle, records] = [[], []]
  const from = Date.now() - 30 * FIX_MS
  for (let i = 0; i < WARMING + RECORDS; i++) {
    if (i % 100 === 0) progress(`fixes in the browser, ${i} of ${WARMING + RECORDS} …`)
    // Thirty blocks of the salt window in turn, each fix more accurate than the last, so that each is written.
    const fix = {
      lat: 52.5 + i * 1e-6,
      lng: 13.4,
      accuracyM: 9 - i / (WARMING + RECORDS),
      at: from + (i % 30) * FIX_MS + i,
    }
    idle.push(await busyMs(() => page.evaluate((given) => globalThis.bench.nothing(given), fix)))
    records.push(await busyMs(() => page.evaluate((given) => globalThis.bench.record(given), fix)))
  }
  const rest = quantile(idle.slice(WARMING), 0.5)
  const [warmIdle, warmRecords] = [idle, records].map((all) => all.slice(WARMING).map((ms) => ms - rest))
  return { idle: warmIdle, records: warmRecords }
}

function goal(name, ours, theirs) {
  return { name, against: 'goal', ours, theirs, ratio: ours / theirs }
}

async function taskMs(devtools) {
  const { metrics } = await devtools.send('Performance.getMetrics')
  return metrics.find(({ name }) => name === 'TaskDuration').value * 1000
}

function quantile(values, share) {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))]
}
