/**
 * Tokens as an app sees them: whether the federation has them, how the device enrols, and when it fetches the next ones.
 * README "Tokens". Loaded when an app asks for it. Errors: fetch-tokens.ts, and MANIFEST_INVALID, ABORTED.
 */
import { FederationError } from '@geotrace/core-wasm'
import {
  bytesToHex,
  type CertifiedRoster,
  hexToBytes,
  parseReportCode,
  type TokenParameters,
} from '@geotrace/core-wasm/wire'
import type { CentralRoute } from '../deposit/send.ts'
import type { Device } from '../device/device.ts'
import type { ErasableTurns } from '../erasable-turns.ts'
import { decodeRecord, encodeRecord } from '../storage/key-layout.ts'
import { put } from '../storage/storage.ts'
import { TOKEN_KEYS } from '../storage/token-keys.ts'
import { enrolWith, type Fetching, fetchTokens } from './fetch-tokens.ts'
import { toUtcDay, Wallet } from './wallet.ts'

const SECRET_BYTES = 32

export interface TokenStatus {
  /** Whether the federation has tokens, as far as the device knows its rosters. */
  readonly isOffered: boolean
  readonly isEnrolled: boolean
  /** Tokens for the UTC day of today and of tomorrow. */
  readonly today: number
  readonly tomorrow: number
  /** Unix ms, a random time: call `fetch` then, and not together with a sync. Undefined unless the device is enrolled. */
  readonly dueAt: number | undefined
}
interface TokenOptions {
  signal?: AbortSignal
}
export interface TokenControl {
  status(): Promise<TokenStatus>
  /**
   * Enrols this device with a code of the authority, and fetches tokens for today when a sync has asked members before.
   * A code whose answer was lost may be presented again.
   */
  enrol(code: string, options?: TokenOptions): Promise<TokenStatus>
  /** Fetches tokens when they are due; otherwise it does nothing. */
  fetch(options?: TokenOptions): Promise<TokenStatus>
}

/** The secret that names this device to the issuer. No sync has it, and erasing the diary deletes it. */
interface Enrolment {
  readonly secret: string
  readonly isEnrolled: boolean
}

/** Opens a session for one task at the central peer. */
type WithCentral = (signal: AbortSignal, task: (route: CentralRoute) => Promise<void>) => Promise<void>

export function tokenControl(device: Device, turns: ErasableTurns, withCentral: WithCentral): TokenControl {
  const { storage, clock, random, lock } = device
  const read = async (): Promise<Enrolment | undefined> => {
    const bytes = await storage.get(TOKEN_KEYS.enrolment)
    return bytes && decodeRecord<Enrolment>(TOKEN_KEYS.enrolment, bytes)
  }
  const write = (enrolment: Enrolment): Promise<void> =>
    lock(() => storage.batch([put(TOKEN_KEYS.enrolment, encodeRecord(enrolment))]))
  const status = async (): Promise<TokenStatus> => {
    const [wallet, enrolment] = [await Wallet.open(storage), await read()]
    const day = toUtcDay(clock.now())
    const isOffered = toParameters(device, device.rosters?.newest) !== undefined
    const isEnrolled = enrolment?.isEnrolled ?? false
    const counts = { today: wallet.count(day), tomorrow: wallet.count(day + 1) }
    return { isOffered, isEnrolled, ...counts, dueAt: isEnrolled ? wallet.fetchAt : undefined }
  }
  const run = (signal: AbortSignal | undefined, task: (own: AbortSignal) => Promise<void>): Promise<TokenStatus> =>
    turns.run(async () => {
      await turns.abortable(signal, task)
      return status()
    })

  /** Throws TOKEN_REFUSED when the federation has no tokens. */
  const withIssuer = (signal: AbortSignal, secret: string, task: (fetching: Fetching) => Promise<void>) =>
    withCentral(signal, async (route) => {
      const parameters = toParameters(device, route.rosters.newest)
      if (parameters === undefined)
        throw new FederationError('TOKEN_REFUSED', 'this federation has no tokens, so no device needs to enrol')
      const wallet = await Wallet.open(storage)
      await task({ device, route, wallet, enrolment: hexToBytes(secret), parameters })
    })

  return {
    status,
    enrol: (text, { signal } = {}) =>
      run(signal, async (own) => {
        const code = parseReportCode(text)
        // Before the frame leaves, because a lost answer has spent the code for this secret.
        const { secret } = (await read()) ?? { secret: bytesToHex(random(SECRET_BYTES)) }
        await write({ secret, isEnrolled: false })
        await withIssuer(own, secret, async (fetching) => {
          await enrolWith(fetching, code)
          await write({ secret, isEnrolled: true })
          if (fetching.wallet.issued === undefined) await fetchTokens(fetching, toUtcDay(clock.now()))
        })
      }),
    fetch: ({ signal } = {}) =>
      run(signal, async (own) => {
        const enrolment = await read()
        const { isOffered, isEnrolled, dueAt = 0 } = await status()
        if (!isOffered || !isEnrolled || clock.now() < dueAt) return
        await withIssuer(own, enrolment!.secret, async (fetching) => {
          const today = toUtcDay(clock.now())
          // The first tokens are for today, because the device has none. Later ones come a day ahead.
          await fetchTokens(fetching, fetching.wallet.issued === undefined ? today : today + 1)
        })
      }),
  }
}

/** The tokens of the newest roster, before the first one those of the manifest. */
function toParameters({ manifest }: Device, newest: CertifiedRoster | undefined): TokenParameters | undefined {
  return newest === undefined ? manifest.parameters.tokens : newest.roster.tokens
}
