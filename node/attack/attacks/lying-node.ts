/**
 * A8: a salt node that signs false answers. It wants hashes that do not match, or a key that tags one person. Each
 * device that asks the liar must notice in the same sync, and the other nodes must hold the proof.
 */
import { setTimeout as pause } from 'node:timers/promises'
import {
  bytesToHex,
  decodeGossip,
  decodeRosterRequest,
  EVALUATE_PROTOCOL,
  equalBytes,
  ROSTER_PROTOCOL,
  SALT_PROTOCOL,
} from '@geotrace/core-wasm/wire'
import { loopbackAddresses } from '../../src/local/loopback.ts'
import type { Attack, Figure } from '../lab/attack.ts'
import { type Impostor, openImpostor } from '../lab/impostor.ts'
import { replicasOf } from '../lab/intruder.ts'
import type { Lab } from '../lab/lab.ts'
import { LIES, type Lie, lieAboutEvaluations, lieAboutSalts } from '../lab/lies.ts'
import { equipDevice, type Inhabitant, syncOnce } from '../lab/residents.ts'

const ASKED: readonly string[] = [SALT_PROTOCOL.id, EVALUATE_PROTOCOL.id]
/** Looks at the nodes until all of them know the proof. */
const LOOKS_MAX = 600
const LOOK_MS = 100
const SYNCS_MAX = 3
/** With one replica of three asked first, all but one of 10^9 foundings have four victims among so many. */
const VICTIMS_MAX = 80
/** Syncs of one device on a busy machine, in which it got too few answers and kept nothing. */
const TRIES_MAX = 50
/** A9 uses block 4 of the loopback. */
const VICTIM_BLOCK = 5

export const lyingNode: Attack = {
  name: 'A8',
  title: 'A salt node signs false salts or evaluations',
  attacker: 'one replica of the shard with its key and its seeds',
  meaning: 'The syncs until a device that got a false answer notices it; 1 is the same sync.',
  limit:
    'A node can also stay silent, refuse, or answer in a wrong form: the device asks the next replica, and no proof exists. A node that answers right can still note who asked.',
  isQuick: true,
  run: deceive,
}

async function deceive(lab: Lab): Promise<Figure> {
  const { setting, federation } = lab
  const index = replicaIndex(lab)
  const liar = await openImpostor(lab, index)
  const isPlain = setting.parameters.salting === 'plain'
  const lies: Lie[] = []
  const told = (lie: Lie): void => void lies.push(lie)
  const honest = federation.saltNodes.filter((_, i) => i !== index)
  const convicting = () => honest.filter((node) => node.membership()!.pool.isConvicted(liar.signer.key)).length
  try {
    if (isPlain) await liar.serve(SALT_PROTOCOL, lieAboutSalts(lab, liar, told))
    else await liar.serve(EVALUATE_PROTOCOL, lieAboutEvaluations(lab, liar, told))
    // Each lie deceives somebody. A proof gets lost when all the members to whom a device sends it are too busy.
    const isDone = (deceived: number) => deceived >= (isPlain ? 1 : LIES.length) && convicting() > 0
    const { deceived, noticed, syncs } = await syncVictims(lab, liar, isDone)
    for (let look = 0; look < LOOKS_MAX && convicting() < honest.length; look++) await pause(LOOK_MS)
    const more = {
      'devices deceived': deceived,
      'devices that noticed': noticed,
      'false answers': lies.length,
      'kinds of lies': new Set(lies).size,
      'nodes with the proof': convicting(),
      'honest nodes': honest.length,
    }
    const holds = deceived > 0 && syncs === 1 && noticed === deceived && convicting() === honest.length
    return { value: syncs, unit: 'syncs', gate: { rule: '1 sync, and every honest node has the proof', holds }, more }
  } finally {
    await liar.stop()
    await federation.restart(index)
  }
}

/** New devices, which hold no secrets yet, sync one after the other. A device that got a false answer syncs until it notices. */
async function syncVictims(lab: Lab, liar: Impostor, isDone: (deceived: number) => boolean) {
  const { world, federation, core, clock } = lab
  const addresses = await loopbackAddresses(VICTIM_BLOCK, VICTIMS_MAX)
  let [deceived, noticed, syncs] = [0, 0, 0]
  for (let n = 0; n < VICTIMS_MAX && !isDone(deceived); n++) {
    const person = world.people[n % world.people.length]!
    const victim = await equipDevice(person, addresses[n]!, { manifest: federation.manifest, core, clock })
    try {
      for (const fix of victim.fixes) await victim.tracer.record(fix)
      const own = await syncsUntilNoticed(victim, liar)
      if (own === undefined) continue
      deceived++
      if (own <= SYNCS_MAX) noticed++
      syncs = Math.max(syncs, own)
    } finally {
      await victim.tracer.close()
    }
  }
  return { deceived, noticed, syncs }
}

/** Undefined when the liar did not answer this device. Syncs in which too few replicas answered count as part of the next. */
async function syncsUntilNoticed(victim: Inhabitant, liar: Impostor): Promise<number | undefined> {
  let syncs = 1
  for (let tries = 0; tries < TRIES_MAX && syncs <= SYNCS_MAX; tries++) {
    const result = await syncOnce(victim)
    if (hasSentProof(victim)) return syncs
    if (result === undefined || result.fixesDeferred > 0) continue
    if (!isDeceived(victim, liar)) return undefined
    syncs++
  }
  return isDeceived(victim, liar) ? SYNCS_MAX + 1 : undefined
}

function isDeceived({ seen }: Inhabitant, { signer }: Impostor): boolean {
  const key = bytesToHex(signer.key)
  return seen.some(({ peer, protocol, isAnswered }) => peer === key && isAnswered && ASKED.includes(protocol))
}

function hasSentProof({ seen }: Inhabitant): boolean {
  return seen.some(({ protocol, frame }) => {
    if (protocol !== ROSTER_PROTOCOL.id) return false
    const request = decodeRosterRequest(frame)
    return request.op === 'submit' && decodeGossip(request.message).kind === 'evidence'
  })
}

/** The first replica of the shard. */
function replicaIndex({ federation, certified }: Lab): number {
  const [first] = replicasOf({ certified })
  return federation.saltNodes.findIndex(({ key }) => equalBytes(key, first!.key))
}
