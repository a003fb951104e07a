/**
 * A6: the central database alone, and m places where a chosen person was at a known time. The attacker evaluates these m
 * cells, which every quota allows, and looks whose rows hold all m hashes.
 */
import { seededRandom } from '../../src/testing/simulated/seeded-random.ts'
import type { Attack, Figure } from '../lab/attack.ts'
import type { StoredRow } from '../lab/database.ts'
import type { Lab } from '../lab/lab.ts'

const KNOWN = [1, 2, 3, 4] as const
const SMALLEST_MIN = 5
const CURRENT = 1

export const knownPlaces: Attack = {
  name: 'A6',
  title: 'The database and a few places where a chosen person was',
  attacker: 'the central database, and two places with their times where the person was seen',
  meaning: 'The share of the people whose pseudonym is the only one with both hashes.',
  limit:
    'No salting stops this, because the database must show which hashes are equal. Who knows the pseudonym learns with which pseudonyms it met, but no further place. Only a central peer that never gets the hashes of healthy people would remove it.',
  isQuick: true,
  run: (lab) => Promise.resolve(count(lab)),
}

function count({ rows }: Lab): Figure {
  const blocks = rows.filter(({ size, lags }) => size === SMALLEST_MIN && (lags & CURRENT) !== 0)
  const users = groupBy(blocks, ({ user }) => user)
  const byHash = groupBy(blocks, ({ hash }) => hash)
  const random = seededRandom('known places')
  const unique = (known: number): number => {
    const alone = [...users.values()].filter((own) => {
      const hashes = random.sample(own, known).map(({ hash }) => hash)
      const holders = hashes.map((hash) => new Set(byHash.get(hash)!.map(({ user }) => user)))
      return [...holders[0]!].filter((user) => holders.every((set) => set.has(user))).length === 1
    })
    return (100 * alone.length) / users.size
  }
  const shares = KNOWN.map(unique)
  const more = Object.fromEntries(KNOWN.map((known, i) => [`unique by ${known}, %`, shares[i]!]))
  return { value: shares[1]!, unit: '% of the people', more: { people: users.size, ...more } }
}

function groupBy<K>(rows: readonly StoredRow[], keyOf: (row: StoredRow) => K): Map<K, StoredRow[]> {
  const groups = new Map<K, StoredRow[]>()
  for (const row of rows) groups.set(keyOf(row), [...(groups.get(keyOf(row)) ?? []), row])
  return groups
}
