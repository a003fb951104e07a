/** A14: a replica that makes the seed of a part and gives each other replica another one. It does not run yet. */
import type { Attack } from '../lab/attack.ts'

export const equivocatingMaker: Attack = {
  name: 'A14',
  title: 'The maker of a seed gives each replica another seed',
  attacker: 'at most t − 1 replicas of a shard, before a roster is certified',
  meaning: 'The shards that nobody can salt in the period.',
  limit: 'A maker can pass its seed on, and nobody can see that.',
  isQuick: false,
  run: async () => ({
    notRun:
      'the lab cannot bend the offers of a node on loopback; seeds-agree.test.ts runs this liar against real replicas in memory',
  }),
}
