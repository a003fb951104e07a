/**
 * Tokens as an app sees them: whether the federation has them, how the device enrols, and when it fetches the next ones.
 * README "Tokens". Loaded when an app asks for it. Errors: fetch-tokens.ts, and MANIFEST_INVALID, ABORTED.
 */
import { FederationError } from '@geotrace/core-wasm'
import { bytesToHex, hexToBytes, parseReportCode } from '@geotrace/core-wasm/wire'
import type { CentralRoute } from '../deposit/send.ts'
import type { Device } from '../device/device.ts'
import type { ErasableTurns } from '../erasable-turns.ts'
import { putEnrolment, readEnrolment, toTokenParameters } from './enrolment.ts'
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

/** Opens a session for one task at the central peer. */
type WithCentral = (signal: AbortSignal, task: (route: CentralRoute) => Promise<void>) => Promise<void>

export function tokenControl(device: Device, turns: ErasableTurns, withCentral: WithCentral): TokenControl {
  const { storage, clock, random, lock } = device
  const write = (secret: string, isEnrolled: boolean): Promise<void> =>
    lock(() => storage.batch([putEnrolment({ secret, isEnrolled })]))
  const status = async (): Promise<TokenStatus> => {
    const [wallet, enrolment] = [await Wallet.open(storage), await readEnrolment(storage)]
    const day = toUtcDay(clock.now())
    const isOffered = toTokenParameters(device) !== undefined
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
      const parameters = toTokenParameters({ ...device, rosters: route.rosters })
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
        const { secret } = (await readEnrolment(storage)) ?? { secret: bytesToHex(random(SECRET_BYTES)) }
        await write(secret, false)
        await withIssuer(own, secret, async (fetching) => {
          await enrolWith(fetching, code)
          await write(secret, true)
          if (fetching.wallet.issued === undefined) await fetchTokens(fetching, toUtcDay(clock.now()))
        })
      }),
    fetch: ({ signal } = {}) =>
      run(signal, async (own) => {
        const enrolment = await readEnrolment(storage)
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
