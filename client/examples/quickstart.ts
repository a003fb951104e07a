import {
  createTracer,
  deviceKey,
  encryptedStorage,
  isFederationError,
  levelStorage,
  libp2pDialer,
} from '@geotrace/client'
import { english, errorToWords, numbers } from '@geotrace/client/words'

const HOUR_MS = 60 * 60_000
const n = numbers('en')
const words = english(n)
const show = (text: string) => document.body.append(text, document.createElement('br'))

const tracer = await createTracer({
  federation: await (await fetch('federation.json')).text(),
  // Sealed on the disk under a key that this browser keeps and no script can read.
  storage: await encryptedStorage(await levelStorage('geotrace'), await deviceKey('geotrace')),
  dialer: libp2pDialer(),
  // Nothing is recorded and nothing leaves the device before the person agrees.
  consent: 'required',
})

const agree = document.createElement('button')
agree.textContent = 'I agree to a diary on this device and to deposits'
agree.addEventListener('click', async () => {
  agree.remove()
  await tracer.consent.give('record')
  await tracer.consent.give('deposit')
  navigator.geolocation.watchPosition(async (position) => {
    const result = await tracer.record(position)
    if (!result.accepted) show(`not kept: ${words.refusals[result.reason]}`)
  })
  await sync()
  setInterval(sync, HOUR_MS)
})
const { record, deposit } = await tracer.consent.status()
if (record && deposit) agree.click()
else document.body.append(agree)

async function sync() {
  try {
    const { rowsDeposited, fixesHeld, fixesLost } = await tracer.sync()
    // Held positions wait until the home is known: call `tracer.home.mark`, or wait for a night and a day.
    show(`${rowsDeposited} hashes deposited, ${fixesHeld} fixes held, ${fixesLost} fixes lost`)
    const { state, reasons, situation, comparedMs } = await tracer.protection()
    show(`${words.states[state]}; ${n.span(comparedMs)} can be compared`)
    for (const reason of reasons) {
      const toSentence = words.reasons[reason]
      show(toSentence(situation))
    }
    for (const exposure of await tracer.exposures()) {
      show(`${n.day(exposure.from)}, ${n.time(exposure.from)}: ${words.closeness(exposure)}`)
    }
  } catch (error) {
    if (!isFederationError(error)) throw error
    show(errorToWords(words, error))
  }
}
