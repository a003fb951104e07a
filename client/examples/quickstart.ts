import { createTracer, isFederationError, levelStorage, libp2pDialer } from '@geotrace/client'

const HOUR_MS = 60 * 60_000
const show = (text: string) => document.body.append(text, document.createElement('br'))

const federation = await (await fetch('federation.json')).text()
const tracer = await createTracer({
  federation,
  storage: await levelStorage('geotrace'),
  dialer: libp2pDialer(),
})

navigator.geolocation.watchPosition(async (position) => {
  const result = await tracer.record(position)
  if (!result.accepted) show(`not kept: ${result.reason}`)
})

async function sync() {
  try {
    const { rowsDeposited, fixesLost, marksNew } = await tracer.sync()
    show(`${rowsDeposited} hashes deposited, ${fixesLost} fixes lost, ${marksNew} new marks`)
    for (const { from, to, lat, lng, degree } of await tracer.exposures()) {
      show(`degree ${degree}: ${new Date(from)} to ${new Date(to)} at ${lat}, ${lng}`)
    }
  } catch (error) {
    if (!isFederationError(error)) throw error
    show(`later again (${error.code}); nothing is lost`)
  }
}

await sync()
setInterval(sync, HOUR_MS)
