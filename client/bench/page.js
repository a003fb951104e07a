/** The page that browser.js drives: a tracer on the sealed storage of a browser, and the core in a worker. */
import {
  createTracer,
  deviceKey,
  encryptedStorage,
  httpsDialer,
  levelStorage,
  libp2pDialer,
  memoryStorage,
} from '@geotrace/client'
import { systemClock } from '@geotrace/core-wasm'

const noNetwork = { open: () => Promise.reject(new Error('the bench syncs elsewhere')) }

globalThis.bench = {
  /** A tracer whose clock shows `hour` o'clock: at night it also learns its home. */
  async open(federation, name, hour) {
    await globalThis.tracer?.close()
    const storage = await encryptedStorage(await levelStorage(name), await deviceKey(name))
    const timeZoneOffsetMin = () => 60 * hour - new Date().getUTCHours() * 60
    globalThis.tracer = await createTracer({ federation, storage, dialer: noNetwork, timeZoneOffsetMin })
  },
  /** A tracer that syncs, `aheadMs` ahead of this machine's clock. */
  async openPerson(federation, name, aheadMs) {
    const clock = { ...systemClock(), now: () => Date.now() + aheadMs }
    const dialer = name === 'https' ? httpsDialer() : libp2pDialer()
    const init = { federation, storage: memoryStorage(), dialer, clock, redaction: false }
    globalThis.person = { tracer: await createTracer(init), clock }
  },
  async walkAnHour() {
    const { tracer, clock } = globalThis.person
    for (let i = 0; i < 12; i++) {
      const at = clock.now() - (70 - 5 * i) * 60_000
      const { accepted } = await tracer.record({ lat: 52.5 + 0.0006 * i, lng: 13.4, accuracyM: 5, at })
      if (!accepted) throw new Error('a fix was not accepted')
    }
  },
  sync: async () => (await globalThis.person.tracer.sync()).rowsDeposited,
  record: (fix) => globalThis.tracer.record(fix),
  nothing: async () => {},
  async hashInWorker(rounds) {
    const worker = new Worker(new URL('worker.js', import.meta.url), { type: 'module' })
    const answer = new Promise((resolve, reject) => {
      worker.onmessage = ({ data }) => resolve(data)
      worker.onerror = (event) => reject(new Error(event.message))
    })
    worker.postMessage(rounds)
    const times = await answer
    worker.terminate()
    return times
  },
}
