/**
 * A2: the whole central database and every salt node, seized after the salt window. The memory of the process, in which all
 * nodes run, and every file of the nodes are searched for the secrets of the hour. A request for the old salts follows.
 */
import { join } from 'node:path'
import { EPOCH_MIN, epochToSecretSpan, isFederationError, MINUTE_MS, timeToEpoch } from '@geotrace/core-wasm/wire'
import { DEMO_OPERATORS } from '../../src/local/local-federation.ts'
import { leafToPartSecret } from '../../src/salt/secrets/part-secret.ts'
import { ratchetTo, stateToLeaf } from '../../src/salt/secrets/ratchet.ts'
import type { Attack, Figure } from '../lab/attack.ts'
import { dumpMemory, filesBelow, hasMemory, searchFiles } from '../lab/dump.ts'
import { evaluateUntilSpent } from '../lab/evaluations.ts'
import { openIntruder, replicasOf } from '../lab/intruder.ts'
import type { Lab } from '../lab/lab.ts'
import { toggleMask } from '../lab/secrets.ts'

/** Kinds of secrets: those that no node ever sends, seeds as replicas exchange them, and states that are still in use. */
const [WOUND, SEED, LIVE] = [/^(state|leaf|scalar) /, /^seed /, /^live /]

export const seizedNode: Attack = {
  name: 'A2',
  title: 'The database and all salt nodes, seized after the salt window',
  attacker: 'the central database, the memory and the disks of all salt nodes, after the salts of the hour are gone',
  meaning: 'The seeds, states, leaves and scalars of ended epochs that the memory of the nodes still holds.',
  limit:
    'Replicas exchange each seed once, and copies of these frames stay in freed memory: see the figure. Such a copy gives away the period from its first epoch. Of a node that is seized earlier, the seeds of its parts give away the rest of the period. A node can also record what it should forget. Memory that was swapped to a disk and the disk blocks of deleted files are not searched.',
  isQuick: true,
  isAlone: true,
  run: async (lab) => (hasMemory ? await seize(lab) : { notRun: 'there is no /proc/self/mem on this machine' }),
}

async function seize(lab: Lab): Promise<Figure> {
  const { clock, epoch, dir, federation } = lab
  const end = epochToSecretSpan(epoch).to + MINUTE_MS
  while (clock.now() < end) await clock.jumpTo(Math.min(end, clock.now() + 10 * MINUTE_MS))
  const refused = await isRefused(lab)
  const dump = join(dir, 'memory')
  const bytes = dumpMemory(dump)
  const live = timeToEpoch(clock.now())
  const secrets = secretsOf(lab, live)
  const files = DEMO_OPERATORS.slice(0, federation.saltNodes.length).flatMap((name) => filesBelow(join(dir, name)))
  const [inMemory, onDisk] = [searchFiles([dump], secrets), searchFiles(files, secrets)]
  const count = (kind: RegExp, names: ReadonlySet<string>) => [...names].filter((name) => kind.test(name)).length
  const [never, seeds, seen] = [count(WOUND, inMemory), count(SEED, inMemory), count(LIVE, inMemory)]
  return {
    value: never + seeds,
    unit: 'secrets of ended epochs found',
    // A search that misses the states which the nodes still need would prove nothing.
    gate: {
      rule: 'none but exchanged seeds, no secret on a disk, the old salts refused, and the states in use found',
      holds: never === 0 && refused && seen > 0 && onDisk.size === 0,
    },
    more: {
      'of these, seeds as they were exchanged': seeds,
      'states in use, found in memory': seen,
      'found on a disk': onDisk.size,
      'secrets looked for': secrets.size,
      'MiB of memory searched': Math.round(bytes / 2 ** 20),
      'files searched': files.length,
    },
  }
}

/** States, leaves and scalars of all epochs that ended, and the state that a node needs now, by name. */
function secretsOf({ core, group, certified, drawn, clock }: Lab, live: number): Map<string, Uint8Array> {
  const secrets = new Map<string, Uint8Array>()
  const { firstEpoch } = certified.roster
  for (const [i, masked] of drawn.masked.entries()) {
    let state = toggleMask(masked)
    for (let epoch = firstEpoch; epoch <= live; epoch++) {
      const isLive = epochToSecretSpan(epoch).to > clock.now()
      const leaf = stateToLeaf(core, state)
      const kind = isLive ? 'live' : epoch === firstEpoch ? 'seed' : 'state'
      secrets.set(`${kind} ${i}/${epoch}`, state)
      if (!isLive) secrets.set(`leaf ${i}/${epoch}`, leaf)
      if (!isLive) secrets.set(`scalar ${i}/${epoch}`, leafToPartSecret(group, leaf))
      state = ratchetTo(core, state, epoch, epoch + 1)
    }
  }
  return secrets
}

/** Whether every replica refuses to salt the hour. */
async function isRefused(lab: Lab): Promise<boolean> {
  const intruder = await openIntruder(lab)
  try {
    for (const [rank, replica] of replicasOf(lab).entries()) {
      const asked =
        lab.setting.parameters.salting === 'plain'
          ? intruder.salts(replica, [{ size: EPOCH_MIN, n: lab.epoch }])
          : evaluateUntilSpent(lab, { cells: [1n], epoch: lab.epoch, sets: [[rank]] })
      const error: unknown = await asked.then(
        () => undefined,
        (reason: unknown) => reason,
      )
      if (!isFederationError(error, 'BLOCK_TOO_OLD')) return false
    }
    return true
  } finally {
    await intruder.close()
  }
}
