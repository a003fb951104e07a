/**
 * A9: a quorum of operators certifies a second founding roster, and a member shows it to a device whose other ways to rosters
 * are cut. Later the device reaches honest peers. No hash may be deposited under the fork, and the device should stop.
 */
import { createTracer, type Dialer, memoryStorage } from '@geotrace/client'
import { libp2pDialer } from '@geotrace/client/node'
import { certifyRoster } from '@geotrace/core-wasm/testing'
import {
  certifiedToStep,
  DEMO_PHRASE,
  decodeRosterRequest,
  demoSecret,
  encodeNewsReply,
  encodeRosterReply,
  encodeRosterStep,
  equalBytes,
  FederationError,
  isFederationError,
  ROSTER_PROTOCOL,
  type Signer,
  secretToSigner,
} from '@geotrace/core-wasm/wire'
import { DEMO_AUTHORITY, DEMO_OPERATORS } from '../../src/local/local-federation.ts'
import { loopbackAddresses } from '../../src/local/loopback.ts'
import { systemRandom } from '../../src/platform/random.ts'
import { type Attack, exactly, type Figure } from '../lab/attack.ts'
import { openImpostor } from '../lab/impostor.ts'
import { patiently } from '../lab/intruder.ts'
import type { Lab } from '../lab/lab.ts'

const SYNCS_MAX = 5
/** The index of the member that shows the fork. */
const TRAITOR = 0
const VICTIM_BLOCK = 4

export const forkedRoster: Attack = {
  name: 'A9',
  title: 'A quorum certifies two rosters and shows them to two halves',
  attacker: 'two thirds of the operators, and the network of one device for one sync',
  meaning:
    'The syncs until the device stops, counted from the first in which it can reach an honest peer; 6 means not in five syncs.',
  limit:
    'A salt node that does not know the roster of a request sends its own, and the device sees the fork. A device that is cut off from every honest peer for good cannot notice. Two thirds of the operators control a federation; a fork only shows that they lied.',
  isQuick: true,
  run: fork,
}

async function fork(lab: Lab): Promise<Figure> {
  const { federation, core, clock, world } = lab
  const traitor = await openImpostor(lab, TRAITOR)
  const step = encodeRosterStep(certifiedToStep(secondRoster(lab)))
  await traitor.serve(ROSTER_PROTOCOL, async (bytes) => {
    const request = decodeRosterRequest(bytes)
    if (request.op !== 'news') return encodeRosterReply()
    return encodeNewsReply({ pins: [], step: request.height === 0 ? step : undefined })
  })
  const cut = { isCut: true }
  const [localAddress] = await loopbackAddresses(VICTIM_BLOCK, 1)
  const dialer = without(libp2pDialer({ localAddress: localAddress! }), cut, traitor.signer.key)
  const more = { storage: memoryStorage(), dialer, random: systemRandom, redaction: false } as const
  const tracer = await createTracer({ federation: federation.manifest, core, clock, ...more })
  try {
    for (const fix of world.people[0]!.fixes) await tracer.record(fix)
    let deposited = (await patiently(() => tracer.sync())).rowsDeposited
    cut.isCut = false
    let value = SYNCS_MAX + 1
    for (let sync = 1; sync <= SYNCS_MAX && value > SYNCS_MAX; sync++) {
      try {
        deposited += (await patiently(() => tracer.sync())).rowsDeposited
      } catch (error) {
        if (!isFederationError(error, 'ROSTER_FORKED')) throw error
        value = sync
      }
    }
    const gate = exactly(deposited, 0, 'rows deposited under the fork')
    return { value, unit: 'syncs', gate, more: { 'rows deposited': deposited } }
  } finally {
    await tracer.close()
    await traitor.stop()
    await federation.restart(TRAITOR)
  }
}

/** The founding roster with sheets whose seeds the attackers chose, certified by a quorum. */
function secondRoster({ certified }: Lab) {
  const { roster } = certified
  const signers = [...DEMO_OPERATORS, DEMO_AUTHORITY].flatMap((name) =>
    [`operator/${name}`, `peer/${name}`].map((role) => secretToSigner(demoSecret(DEMO_PHRASE, role))),
  )
  const signerOf = (key: Uint8Array): Signer => signers.find((signer) => equalBytes(signer.key, key))!
  return certifyRoster({ ...roster, sheets: roster.sheets.map(() => systemRandom(32)) }, roster.operators, {}, signerOf)
}

/** While the network is cut, only the traitor answers requests for rosters. */
function without(dialer: Dialer, cut: { readonly isCut: boolean }, traitor: Uint8Array): Dialer {
  return {
    async open() {
      const session = await dialer.open()
      return {
        async request(peer, protocol, frame, options) {
          if (cut.isCut && protocol === ROSTER_PROTOCOL && !equalBytes(peer.key, traitor)) {
            throw new FederationError('PEER_UNREACHABLE', 'the attacker cut this way', { tried: 1 })
          }
          return session.request(peer, protocol, frame, options)
        },
        close: () => session.close(),
      }
    },
  }
}
