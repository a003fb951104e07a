/** A federation with a spread of one day, whose members hand out the keys of the period. The test knows the roles' secrets. */
import { secretToSealKey } from '@geotrace/core-wasm/seal'
import { openItem, openSlip } from '@geotrace/core-wasm/spread'
import { TEST_OPERATORS, testSigner } from '@geotrace/core-wasm/testing'
import {
  bytesToHex,
  DAY_MS,
  decodeRosterRequest,
  drawSpreadRoles,
  encodeSpreadKeysReply,
  manifestToId,
  type Parameters,
  ROSTER_PROTOCOL,
  type RosterPeer,
  type SpreadKey,
  type SyncSlip,
  signSpreadKey,
} from '@geotrace/core-wasm/wire'
import { type FakeFederation, fakeFederation, START_MS, seededBytes } from '../../src/testing/fake-federation.ts'

/** The café lies in this region (PROTOCOL.md §3.3). */
export const CAFE_REGION = 36771
export const SPREAD = { areas: [CAFE_REGION], resolution: 6, periodDays: 1, minimum: 20, epsilon: 1_000 }
/** The first period with a ruling roster. */
export const PERIOD = Math.floor(START_MS / DAY_MS) + 2

export interface SpreadFederation {
  readonly federation: FakeFederation
  /** Requests for keys so far: who was asked for which period. */
  readonly asked: { peer: string; period: number }[]
  /** The keys that a member hands out for a period; a test may let it lie. */
  keysOf: (peer: string, period: number) => readonly SpreadKey[]
  /** The true keys of a period: the mixer's, then the teller's. */
  trueKeys(period: number): SpreadKey[]
  /** Another key that a drawn member signs for the period. */
  otherKey(role: 0 | 1, period: number): SpreadKey
  /** Operators of the mixer and the teller. */
  drawn(period: number): string[]
  /** The bucket in a slip. */
  open(slip: SyncSlip): number
}

/** The clock stands in the middle of PERIOD. */
export async function spreadFederation(parameters: Partial<Parameters> = {}): Promise<SpreadFederation> {
  const federation = await fakeFederation({ salting: 'plain', reserveEpochs: 200, spread: SPREAD, ...parameters })
  await federation.clock.jumpTo(PERIOD * DAY_MS + DAY_MS / 2)
  const id = manifestToId(federation.manifest)
  const { roster } = federation.certified
  const secretOf = (role: number, period: number): Uint8Array => seededBytes(`spread ${role} ${period}`)(32)
  const rolesOf = (period: number): RosterPeer[] => {
    const { mixer, teller } = drawSpreadRoles(roster, period)!
    return [mixer, teller]
  }
  const nameOf = ({ key }: RosterPeer): string =>
    TEST_OPERATORS.find((name) => bytesToHex(testSigner(`peer/${name}`).key) === bytesToHex(key))!
  const sign = (role: number, period: number, secret: Uint8Array): SpreadKey =>
    signSpreadKey(testSigner(`peer/${nameOf(rolesOf(period)[role]!)}`), id, period, secretToSealKey(secret))
  const spread: SpreadFederation = {
    federation,
    asked: [],
    trueKeys: (period) => [0, 1].map((role) => sign(role, period, secretOf(role, period))),
    otherKey: (role, period) => sign(role, period, seededBytes('another key')(32)),
    keysOf: (_peer, period) => spread.trueKeys(period),
    drawn: (period) => rolesOf(period).map(nameOf),
    open: ({ period, bytes }) => {
      const context = { federation: id, period }
      return openItem(context, secretOf(1, period), openSlip(context, secretOf(0, period), bytes))
    },
  }
  federation.intercept = async (peer, protocol, frame, serve) => {
    const request = protocol.id === ROSTER_PROTOCOL.id ? decodeRosterRequest(frame) : undefined
    if (request?.op !== 'spread-keys') return serve(frame)
    spread.asked.push({ peer, period: request.period })
    return encodeSpreadKeysReply(spread.keysOf(peer, request.period))
  }
  return spread
}
