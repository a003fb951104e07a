/** Chromium: main-thread time of recording a fix, and hashing in a worker. Skipped, loudly, where there is none. */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { startWebServer } from '@geotrace/node/testing'
import { chromium } from 'playwright-core'
import { build } from 'vite'

const EXECUTABLE = process.env.CHROMIUM ?? '/usr/bin/chromium'
const here = fileURLToPath(new URL('.', import.meta.url))
const federation = readFileSync(new URL('../../federation.json', import.meta.url), 'utf8')
const WARMING = 100
const RECORDS = 600
/** By day, and while home is learnt. */
const HOURS = { day: 12, night: 3 }
const HASHES = 300
const QUANTILES = [
  ['median', 0.5],
  ['p99', 0.99],
]
const FIX_MS = 300_000

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
    const page = await browser.newPage()
    await page.goto(server.url)
    await page.waitForFunction(() => 'bench' in globalThis)
    const devtools = await page.context().newCDPSession(page)
    // Time that the thread had the processor: a busy machine would count its own waiting.
    await devtools.send('Performance.enable', { timeDomain: 'threadTicks' })
    const rows = []
    for (const [time, hour] of Object.entries(HOURS)) {
      await page.evaluate((given) => globalThis.bench.open(...given), [federation, time, hour])
      const costs = await recordAll(page, devtools, (text) => progress(`${time}: ${text}`))
      for (const [name, share] of QUANTILES) {
        rows.push(goal(`record a fix by ${time}, main thread of Chromium, ${name} ms`, quantile(costs, share), 1))
      }
    }
    const hashes = await page.evaluate((rounds) => globalThis.bench.hashInWorker(rounds), HASHES)
    for (const [name, share] of QUANTILES) {
      rows.push(goal(`hash an hour of fixes in a worker, ${name} ms`, quantile(hashes, share), 5))
    }
    return rows
  } finally {
    await browser.close()
    await server.stop()
    rmSync(folder, { recursive: true, force: true })
  }
}

/** What each of the records cost the page's thread, ms. */
async function recordAll(page, devtools, progress) {
  const busyMs = async (step) => {
    const before = await taskMs(devtools)
    await step()
    return (await taskMs(devtools)) - before
  }
  // The question itself costs the page's thread something: that of asking for nothing is taken off.
  const [idle, records] = [[], []]
  const from = Date.now() - 30 * FIX_MS
  for (let i = 0; i < WARMING + RECORDS; i++) {
    if (i % 100 === 0) progress(`fixes in the browser, ${i} of ${WARMING + RECORDS} …`)
    // Thirty blocks of the salt window in turn, each better than the one before it: every one is written.
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
  return records.slice(WARMING).map((ms) => ms - rest)
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
