/**
 * A2: the whole central database and every salt node, seized after the salt window. All nodes run in one process. Its memory
 * and every file of the nodes are searched for the secrets of the hour, and for the one-time keys that wrapped seeds. A
 * request for the old salts follows.
 */
import { join } from 'node:path'
import { parts } from '@geotrace/core-wasm/voprf'
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

/** States that the nodes still need. All other secrets are over. */
const LIVE = /^live /

export const seizedNode: Attack = {
  name: 'A2',
  title: 'The database and all salt nodes, seized after the salt window',
  attacker: 'the central database, the memory and the disks of all salt nodes, after the salts of the hour are gone',
  meaning:
    'The seeds, states, leaves, scalars and one-time keys that are over and that the memory of the nodes still holds.',
  limit:
    'Of a node that is seized earlier, the seeds of its parts give away the rest of the period. A node can also record what it should forget. Memory that was swapped to a disk and the disk blocks of deleted files are not searched.',
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
  const seen = [...inMemory].filter((name) => LIVE.test(name)).length
  const over = inMemory.size - seen
  const { replicas, threshold } = lab.certified.roster
  const inUse = parts(replicas, threshold).length
  return {
    value: over,
    unit: 'secrets that are over found',
    // A search that misses the states which the nodes still need would prove nothing.
    gate: {
      rule: `none, no secret on a disk, the old salts refused, and the states in use found: one for each of ${inUse} parts`,
      holds: over === 0 && refused && seen === inUse && onDisk.size === 0,
    },
    more: {
      'states in use, found in memory': seen,
      'found on a disk': onDisk.size,
      'secrets looked for': secrets.size,
      'MiB of memory searched': Math.round(bytes / 2 ** 20),
      'files searched': files.length,
    },
  }
}

/** States, leaves and scalars of all epochs that ended, the state that a node needs now, and one-time keys, by name. */
function secretsOf({ core, group, certified, drawn, clock }: Lab, live: number): Map<string, Uint8Array> {
  const secrets = new Map<string, Uint8Array>()
  const { firstEpoch } = certified.roster
  for (const [i, masked] of drawn.masked.entries()) {
    let state = toggleMask(masked)
    for (let epoch = firstEpoch; epoch <= live; epoch++) {
      const isLive = epochToSecretSpan(epoch).to > clock.now()
      const leaf = stateToLeaf(core, state)
      secrets.set(`${isLive ? 'live' : 'state'} ${i}/${epoch}`, state)
      if (!isLive) secrets.set(`leaf ${i}/${epoch}`, leaf)
      if (!isLive) secrets.set(`scalar ${i}/${epoch}`, leafToPartSecret(group, leaf))
      state = ratchetTo(core, state, epoch, epoch + 1)
    }
  }
  for (const [i, masked] of drawn.maskedKeys.entries()) {
    const draw = toggleMask(masked)
    secrets.set(`one-time draw ${i}`, draw)
    secrets.set(`one-time key ${i}`, group.scalarReduce(draw))
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
