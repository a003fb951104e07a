/** What browser.js drives in a page: a tracer on the sealed storage of a browser, and the core in a worker. */
import { createTracer, deviceKey, encryptedStorage, levelStorage } from '@geotrace/client'

const noNetwork = { open: () => Promise.reject(new Error('the bench syncs elsewhere')) }

globalThis.bench = {
  /** A tracer for which it is `hour` o'clock: at night it learns where home is, too. */
  async open(federation, name, hour) {
    await globalThis.tracer?.close()
    const storage = await encryptedStorage(await levelStorage(name), await deviceKey(name))
    const timeZoneOffsetMin = () => 60 * hour - new Date().getUTCHours() * 60
    globalThis.tracer = await createTracer({ federation, storage, dialer: noNetwork, timeZoneOffsetMin })
  },
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
