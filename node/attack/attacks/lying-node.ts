/**
 * A8: a salt node that signs false answers. It wants hashes that do not match, or a key that tags one person. Each
 * device that asks the liar must notice in the same sync, and the other nodes must hold the proof.
 */
import { setTimeout as pause } from 'node:timers/promises'
import { EVALUATE_PROTOCOL, equalBytes, SALT_PROTOCOL } from '@geotrace/core-wasm/wire'
import type { Attack, Figure } from '../lab/attack.ts'
import { openImpostor } from '../lab/impostor.ts'
import { replicasOf } from '../lab/intruder.ts'
import type { Lab } from '../lab/lab.ts'
import { type Lie, lieAboutEvaluations, lieAboutSalts } from '../lab/lies.ts'
import { equipResidents } from '../lab/residents.ts'

/** Looks at the nodes until all of them know the proof. */
const LOOKS_MAX = 600
const LOOK_MS = 100
const SYNCS_MAX = 3
/** With one replica of three asked first, all but one of 60 foundings have a victim among so many. */
const VICTIMS = 8

export const lyingNode: Attack = {
  name: 'A8',
  title: 'A salt node signs false salts or evaluations',
  attacker: 'one replica of the shard with its key and its seeds',
  meaning: 'The syncs until a device that got a false answer notices it; 1 is the same sync.',
  limit:
    'A node can also stay silent or refuse: the device asks the next replica, and no proof exists. A node that answers right can still note who asked.',
  isQuick: true,
  run: deceive,
}

async function deceive(lab: Lab): Promise<Figure> {
  const { setting, federation } = lab
  const index = replicaIndex(lab)
  const liar = await openImpostor(lab, index)
  const lies: Lie[] = []
  const told = (lie: Lie): void => void lies.push(lie)
  try {
    if (setting.parameters.salting === 'plain') await liar.serve(SALT_PROTOCOL, lieAboutSalts(lab, liar, told))
    else await liar.serve(EVALUATE_PROTOCOL, lieAboutEvaluations(lab, liar, told))
    const { deceived, noticed, syncs } = await syncVictims(lab, lies)
    const honest = federation.saltNodes.filter((_, i) => i !== index)
    const convicting = () => honest.filter((node) => node.membership()!.pool.isConvicted(liar.signer.key)).length
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

/** New devices, which hold no secrets yet, sync until each of them that got a false answer has noticed it. */
async function syncVictims(lab: Lab, lies: readonly Lie[]) {
  const { world, federation, core, clock } = lab
  const scene = { ...world, people: world.people.slice(0, VICTIMS) }
  const victims = await equipResidents({ world: scene, manifest: federation.manifest, core, clock })
  let [deceived, noticed, syncs] = [0, 0, 0]
  for (const { tracer, fixes } of victims) {
    for (const fix of fixes) await tracer.record(fix)
    const before = lies.length
    let own = 0
    for (let sync = 1; sync <= SYNCS_MAX && own === 0; sync++) {
      const { nodesLied } = await tracer.sync()
      if (nodesLied > 0) own = sync
      if (lies.length === before) break
    }
    await tracer.close()
    if (lies.length === before) continue
    deceived++
    if (own > 0) noticed++
    syncs = Math.max(syncs, own === 0 ? SYNCS_MAX + 1 : own)
  }
  return { deceived, noticed, syncs }
}

/** The first replica of the shard. */
function replicaIndex({ federation, certified }: Lab): number {
  const [first] = replicasOf({ certified })
  return federation.saltNodes.findIndex(({ key }) => equalBytes(key, first!.key))
}
