/**
 * A14: replicas that make two seeds of each of their parts. Every other replica gets one of them, with its lines. A federation is founded beside them. No shard may be lost, and every honest node must hold the proof.
 */
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { type SimulatedClock, simulatedClock } from '@geotrace/core-wasm'
import { bytesToHex, HOUR_MS, hexToBytes, isVacant, MINUTE_MS, type Roster } from '@geotrace/core-wasm/wire'
import { DEMO_OPERATORS, type LocalFederation, startFederation } from '../../src/local/local-federation.ts'
import { loopbackAddresses } from '../../src/local/loopback.ts'
import type { SaltNode } from '../../src/salt/node.ts'
import type { Attack, Figure } from '../lab/attack.ts'
import { BentMakers } from '../lab/bent-makers.ts'
import { SHARD } from '../lab/intruder.ts'
import type { Lab } from '../lab/lab.ts'
import { equipDevice, syncOnce } from '../lab/residents.ts'

/** A roster needs the votes of more than two thirds of the operators, and nobody listens to convicted ones. */
const OPERATORS = [...DEMO_OPERATORS, 'hazel', 'juniper']
const SHARDS = 4
const LOOKS_MAX = 600
const LOOK_MS = 100
/** Blocks 2 to 5 of the loopback are those of other attackers and their victims. */
const DEVICE_BLOCK = 6
const TRIES_MAX = 50

export const equivocatingMaker: Attack = {
  name: 'A14',
  title: 'The maker of a seed gives each replica another seed',
  attacker: 'the first t − 1 replicas of a shard, with t = 1 the first one, while a federation is founded',
  meaning: 'The shards that nobody can salt in the period.',
  limit:
    'A maker can pass its seed on, and nobody can see that. Nobody listens to a convicted operator, so a third of the operators who lie stop a founding, as if they were away. The honest ones then found again without them.',
  isQuick: true,
  run: equivocate,
}

async function equivocate(lab: Lab): Promise<Figure> {
  const { setting, core, world } = lab
  const clock = simulatedClock(world.from - HOUR_MS)
  const liars = Math.max(1, setting.parameters.threshold! - 1)
  const makers = new BentMakers({ core, clock, liars, shard: SHARD })
  const parameters = { ...setting.parameters, shards: SHARDS }
  const dir = join(lab.dir, 'founded beside liars')
  const federation = await startFederation({ dir, clock, parameters, operators: OPERATORS, hostOf: makers.hostOf })
  try {
    const foundedMs = clock.now()
    const honest = federation.saltNodes.filter(({ key }) => !makers.keys.has(bytesToHex(key)))
    const isProven = (liar: string) => honest.every((node) => node.membership()!.pool.isConvicted(hexToBytes(liar)))
    const proven = () => [...makers.keys].filter(isProven).length
    const lost = () => countLost(federation.central.membership()!.rosters.newest!.roster, honest)
    // A certified roster names the seeds, and a replica that went by others fetches them.
    for (let look = 0; look < LOOKS_MAX && (lost() > 0 || proven() < liars); look++) {
      await pause(LOOK_MS)
      await clock.advanceTo(clock.now() + LOOK_MS)
    }
    const inTime = [...makers.provenMs.values()].filter((at) => at <= foundedMs).length
    const salted = await saltedShare(lab, federation, clock)
    const value = lost()
    const more = {
      shards: SHARDS,
      'makers of two seeds': liars,
      'proven to every honest node': proven(),
      'proven before the roster was certified': inTime,
      'answers with seeds that one replica got of one shard until a proof': makers.answersMax,
      'fixes that a device salts, %': salted,
    }
    const holds = value === 0 && proven() === liars && salted === 100
    const rule = '0 shards lost, and every honest node has the proof'
    return { value, unit: 'shards lost', gate: { rule, holds }, more }
  } finally {
    await federation.stop()
  }
}

/** Shards without a sheet, and those of which fewer than t honest replicas have all parts. */
function countLost(roster: Roster, honest: readonly SaltNode[]): number {
  const holders = (shard: number): number =>
    honest.filter((node) => node.status().shards.some((item) => item.shard === shard && item.held)).length
  const shards = Array.from({ length: roster.shards }, (_, shard) => shard)
  return shards.filter((shard) => isVacant(roster, shard) || holders(shard) < roster.threshold).length
}

/** Lets one device live through the hour. */
async function saltedShare(
  { core, world }: Lab,
  { manifest }: LocalFederation,
  clock: SimulatedClock,
): Promise<number> {
  const [address] = await loopbackAddresses(DEVICE_BLOCK, 1)
  const person = await equipDevice(world.people[0]!, address!, { manifest, core, clock })
  try {
    for (const fix of person.fixes) {
      await clock.jumpTo(Math.max(clock.now(), fix.at))
      await person.tracer.record(fix)
    }
    await clock.jumpTo(clock.now() + 6 * MINUTE_MS)
    let salted = 0
    for (let tries = 0; tries < TRIES_MAX && salted < person.fixes.length; tries++) {
      salted += (await syncOnce(person))?.fixesHashed ?? 0
    }
    return (100 * salted) / person.fixes.length
  } finally {
    await person.tracer.close()
  }
}
